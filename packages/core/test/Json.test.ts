import { Json } from "@millrace/core"
import { assertEquals } from "@std/assert"
import { describe, it } from "node:test"

const plenty = 1024

const text = (value: unknown, maxBytes = plenty) => {
  const written = Json.stringify(value, maxBytes)
  return "text" in written ? written.text : written
}

const reserved = JSON.parse(`{"__proto__":{"polluted":true},"to":"ada"}`)

describe("Json.stringify", () => {
  it("writes falsy values as they are", () => {
    const values = [0, "", false, null, [], {}, [null, 0, ""], { a: null, b: false }]
    for (const value of values) assertEquals(text(value), JSON.stringify(value))
  })

  it("writes no value as null", () => {
    assertEquals(text(undefined), "null")
  })

  it("refuses a NUL character, wherever it stands", () => {
    const refused = { refused: "it contains a NUL character or half of a surrogate pair" }
    for (const value of ["\0", "a\0b", { "a\0": 1 }, [["\\\0"]], { a: { b: "\\\\\0" } }]) {
      assertEquals(text(value), refused)
    }
  })

  it("refuses half of a surrogate pair, wherever it stands", () => {
    const refused = { refused: "it contains a NUL character or half of a surrogate pair" }
    const halves = ["\ud800", "\udbff", "\udc00", "\udfff", "\udc00\ud800", "a\ud83d", "\\\ud83d"]
    for (const half of halves) {
      assertEquals(text(half), refused)
      assertEquals(text({ [half]: 1 }), refused)
    }
  })

  it("accepts whole surrogate pairs and every other control character", () => {
    const fine = [
      "😀",
      "\u{10ffff}",
      "\u0001\u001f\u007f",
      "\u2028\u2029",
      "\ufeff",
      "\ud7ff\ue000",
    ]
    for (const value of fine) assertEquals(JSON.parse(text(value) as string), value)
  })

  it("accepts the literal texts of escapes, behind any number of backslashes", () => {
    for (const escape of ["u0000", "ud800", "udfff", "u0000\\u0000"]) {
      for (let count = 1; count <= 6; count++) {
        const value = "\\".repeat(count) + escape
        assertEquals(JSON.parse(text(value) as string), value)
        assertEquals(JSON.parse(text({ [value]: value }) as string), { [value]: value })
      }
    }
  })

  it("counts the limit in bytes of UTF-8, to the byte", () => {
    const cases: ReadonlyArray<readonly [value: unknown, bytes: number]> = [
      ["", 2],
      ["a".repeat(98), 100],
      ["é".repeat(49), 100],
      ["€".repeat(30), 92],
      ["😀".repeat(25), 102],
      ["\n".repeat(10), 22],
      [{ ä: 1 }, 8],
      [undefined, 4],
    ]
    for (const [value, bytes] of cases) {
      assertEquals(typeof text(value, bytes), "string")
      assertEquals(text(value, bytes - 1), {
        refused: `it is ${bytes} bytes of JSON, more than the limit of ${bytes - 1}`,
      })
    }
  })

  it("refuses a key that reaches the prototype, however deep", () => {
    const refused = { refused: `it contains a key "__proto__"` }
    for (const value of [reserved, [reserved], { a: [{ b: reserved }] }]) {
      assertEquals(text(value), refused)
    }
  })

  it("accepts the same text as a value, and the keys that reach no prototype", () => {
    const values: ReadonlyArray<unknown> = [
      "__proto__",
      `{"__proto__":1}`,
      `"__proto__" :`,
      { a: `"__proto__":` },
      { constructor: { prototype: { a: 1 } } },
      { prototype: 1, "__proto": 2, "proto__": 3 },
    ]
    for (const value of values) assertEquals(JSON.parse(text(value) as string), value)
  })
})

describe("Json.parse", () => {
  it("reads back what was written", () => {
    const values = [0, "", false, null, -0.5, 1e308, "😀", [[]], { a: { b: [null] } }]
    for (const value of values) assertEquals(Json.parse(text(value) as string), value)
  })

  const spellings = [
    "__proto__",
    "\\u005f_proto__",
    "\\u005F\\u005f\\u0070roto__",
    "__pr\\u006fto__",
  ]
  for (const key of spellings) {
    it(`drops the key ${key}, and keeps what stands beside it`, () => {
      const inner = `{"${key}":{"polluted":true},"to":"ada"}`
      for (const source of [inner, `[${inner}]`, `{"a":{"b":${inner}}}`]) {
        const read = Json.parse(source)
        assertEquals(JSON.stringify(read), source.replace(`"${key}":{"polluted":true},`, ""))
        assertEquals("polluted" in Object.assign({}, read), false)
      }
      assertEquals("polluted" in {}, false)
    })
  }

  it("keeps the texts of those keys where they are values", () => {
    for (const value of ["__proto__", `"__proto__":1`, "\\u005f", "_", { a: `"__proto__" : 1` }]) {
      assertEquals(Json.parse(JSON.stringify(value)), value)
    }
  })

  it("keeps the keys constructor and prototype as data, away from every prototype", () => {
    const read = Json.parse(`{"constructor":{"prototype":{"polluted":true}}}`)
    assertEquals(JSON.stringify(read), `{"constructor":{"prototype":{"polluted":true}}}`)
    assertEquals("polluted" in {}, false)
  })
})
