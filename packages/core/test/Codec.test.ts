import { Codec } from "@millrace/core"
import { assert, assertEquals, assertFalse, assertInstanceOf } from "@std/assert"
import { DateTime, Effect, Equal, Option, Schema, SchemaTransformation } from "effect"
import { describe, it } from "node:test"

const plenty = 1024 * 1024

const written = <S extends Codec.Plain>(schema: S, value: S["Type"]): string => {
  const encoded = Codec.make(schema, plenty).encode(value)
  if (!encoded.ok) throw new Error(encoded.reason)
  return encoded.value
}

const reread = <S extends Codec.Plain>(schema: S, value: S["Type"]): S["Type"] => {
  const decoded = Codec.make(schema, plenty).decode(written(schema, value))
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

const refusals = <S extends Codec.Plain>(schema: S, value: unknown): ReadonlyArray<unknown> => {
  const codec = Codec.make(schema, plenty)
  return [codec.encode(value as S["Type"]), codec.decode(JSON.stringify(value) ?? "null")]
}

class Point extends Schema.Class<Point>("Point")({ x: Schema.Number, at: Schema.Date }) {}

class Bounced extends Schema.TaggedError<Bounced>()("Bounced", { code: Schema.Int }) {}

class Full extends Schema.TaggedError<Full>()("Full", { until: Schema.DateTimeUtc }) {}

describe("a codec keeps", () => {
  const cases: ReadonlyArray<readonly [name: string, schema: Codec.Plain, value: unknown]> = [
    ["zero", Schema.Number, 0],
    ["the empty text", Schema.String, ""],
    ["false", Schema.Boolean, false],
    ["null", Schema.Null, null],
    ["null of any JSON", Schema.Json, null],
    ["undefined", Schema.Undefined, undefined],
    ["void", Schema.Void, undefined],
    ["null where a text may be", Schema.NullOr(Schema.String), null],
    ["undefined where a text may be", Schema.UndefinedOr(Schema.String), undefined],
    [
      "an empty array and an empty struct",
      Schema.Tuple([Schema.Array(Schema.Int), Schema.Struct({})]),
      [[], {}],
    ],
    ["no number and the infinities", Schema.Array(Schema.Number), [NaN, Infinity, -Infinity]],
    ["a missing key", Schema.Struct({ a: Schema.optionalKey(Schema.Int) }), {}],
    ["a key without a value", Schema.Struct({ a: Schema.optional(Schema.Int) }), { a: undefined }],
    ["dates", Schema.Struct({ at: Schema.Date }), { at: new Date(0) }],
    ["instants", Schema.DateTimeUtc, DateTime.makeUnsafe(1e12)],
    ["big integers", Schema.Array(Schema.BigInt), [0n, -5n, 2n ** 80n]],
    ["maps", Schema.ReadonlyMap(Schema.Date, Schema.BigInt), new Map([[new Date(1), 2n]])],
    ["options", Schema.Array(Schema.Option(Schema.Int)), [Option.some(0), Option.none()]],
    ["bytes", Schema.Uint8Array, new Uint8Array([0, 255, 128])],
    ["a recursive value", Schema.Json, [[[[{ a: [{ b: [] }] }]]]]],
  ]
  for (const [name, schema, value] of cases) {
    it(name, () => {
      const kept = reread(schema, value as never)
      assert(Equal.equals(kept, value) || kept !== value)
      assertEquals(kept, value)
    })
  }

  it("the class of an instance", () => {
    const kept = reread(Point, new Point({ x: 0, at: new Date(5) }))
    assertInstanceOf(kept, Point)
    assertEquals([kept.x, kept.at.getTime()], [0, 5])
  })

  it("the class of each error of a union", () => {
    const errors = Schema.Union([Bounced, Full])
    const bounced = reread(errors, new Bounced({ code: 550 }))
    assertInstanceOf(bounced, Bounced)
    assertEquals(bounced.code, 550)
    const full = reread(errors, new Full({ until: DateTime.makeUnsafe(0) }))
    assertInstanceOf(full, Full)
    assertEquals(DateTime.toEpochMillis(full.until), 0)
  })
})

describe("a codec refuses, in words that hold no value of the payload", () => {
  const mail = Schema.Struct({
    to: Schema.String.check(Schema.isMaxLength(5)),
    kind: Schema.optionalKey(Schema.Literals(["letter", "card"])),
    at: Schema.optionalKey(Schema.Date),
    big: Schema.optionalKey(Schema.BigInt),
    url: Schema.optionalKey(Schema.URL),
  })
  const inputs: ReadonlyArray<unknown> = [
    "hunter2",
    ["hunter2"],
    { to: ["hunter2"] },
    { to: "hunter2" },
    { to: "ada", kind: "hunter2" },
    { to: "ada", at: "hunter2" },
    { to: "ada", big: "hunter2" },
    { to: "ada", url: "hunter2" },
  ]
  for (const input of inputs) {
    it(`what does not match: ${JSON.stringify(input)}`, () => {
      for (const refusal of refusals(mail, input)) {
        const { ok, reason } = refusal as { ok: boolean; reason: string }
        assertFalse(ok)
        assert(reason.length > 0)
        assertFalse(/hunter2|\n/.test(reason), reason)
      }
    })
  }

  it("and names the place", () => {
    const refused = { ok: false, reason: `Expected string at ["to"]` }
    assertEquals(refusals(mail, { to: 5 }), [refused, refused])
  })

  it("what a transformation throws at", () => {
    const throwing = Schema.String.pipe(Schema.decodeTo(
      Schema.String,
      SchemaTransformation.transform({
        decode: (text): string => {
          throw new RangeError(`cannot read ${text}`)
        },
        encode: (text): string => {
          throw `cannot write ${text}`
        },
      }),
    ))
    assertEquals(refusals(throwing, "hunter2"), [
      { ok: false, reason: "the schema threw a value of type string" },
      { ok: false, reason: "the schema threw RangeError" },
    ])
  })

  it("a transformation that waits", () => {
    const waiting = Schema.String.pipe(Schema.decodeTo(
      Schema.String,
      SchemaTransformation.transformEffect({
        decode: (text: string) => Effect.delay(Effect.succeed(text), 1),
        encode: (text: string) => Effect.delay(Effect.succeed(text), 1),
      }),
    ))
    for (const refusal of refusals(waiting, "hunter2")) {
      assertEquals(refusal, { ok: false, reason: "the schema threw AsyncFiberError" })
    }
  })

  it("what is no JSON, where the schema lets anything through", () => {
    const circular: Record<string, unknown> = {}
    circular["self"] = circular
    for (const value of [circular, 5n, { a: [5n] }]) {
      assertEquals(Codec.make(Schema.Any, plenty).encode(value), {
        ok: false,
        reason: "it has no JSON form",
      })
    }
    for (const value of [circular, 5n, () => 1, new Date(0), { a: Symbol() }, { a: undefined }]) {
      assertFalse(Codec.make(Schema.Unknown, plenty).encode(value).ok)
    }
  })

  it("text that is not JSON", () => {
    const codec = Codec.make(Schema.Json, plenty)
    for (const text of ["", "{", "hunter2", "{'a':1}", "NaN", "undefined", "1 2", "\u0000"]) {
      assertEquals(codec.decode(text), { ok: false, reason: "it is not JSON text" })
    }
  })
})

describe("a codec", () => {
  it("answers for a value that is nested deeper than the stack, and never throws", () => {
    const codec = Codec.make(Schema.Json, plenty)
    for (const depth of [10_000, 100_000]) {
      const decoded = codec.decode("[".repeat(depth) + "]".repeat(depth))
      const encoded = decoded.ok ? codec.encode(decoded.value) : decoded
      assert(encoded.ok || encoded.reason.length > 0)
    }
  })
})

describe("a codec at the trust boundary", () => {
  const anything = Schema.Record(Schema.String, Schema.Json)
  const reserved = JSON.parse(`{"__proto__":{"polluted":true},"to":"ada"}`)

  it("refuses to encode a key that reaches the prototype", () => {
    const refused = { ok: false, reason: `it contains a key "__proto__"` } as const
    assertEquals(Codec.make(anything, plenty).encode(reserved), refused)
    assertEquals(Codec.make(Schema.Json, plenty).encode([reserved]), refused)
    assertEquals(Codec.make(Schema.Unknown, plenty).encode({ a: reserved }), refused)
  })

  it("leaves such a key out where the schema does not ask for it", () => {
    assertEquals(written(Schema.Struct({ to: Schema.String }), reserved), `{"to":"ada"}`)
  })

  it("drops such a key when decoding, however it is spelled", () => {
    for (const key of ["__proto__", "\\u005f_proto__"]) {
      const decoded = Codec.make(anything, plenty).decode(`{"${key}":{"polluted":true},"a":1}`)
      assert(decoded.ok)
      assertEquals(Object.keys(decoded.value), ["a"])
      assertEquals(Object.getPrototypeOf(decoded.value), Object.prototype)
      assertEquals("polluted" in decoded.value, false)
    }
  })

  it("carries constructor and prototype as data", () => {
    const value = JSON.parse(`{"constructor":{"prototype":{"polluted":true}},"toString":0}`)
    assertEquals(JSON.stringify(reread(anything, value)), JSON.stringify(value))
    assertEquals("polluted" in {}, false)
  })

  it("refuses NUL and half of a surrogate pair, and accepts their escapes as text", () => {
    const codec = Codec.make(Schema.Struct({ text: Schema.String }), plenty)
    const reason = "it contains a NUL character or half of a surrogate pair"
    for (const text of ["a\0", "\ud800", "\udc00\ud800"]) {
      assertEquals(codec.encode({ text }), { ok: false, reason })
    }
    for (const text of ["\\u0000", "\\\\u0000", "\\ud800", "😀"]) {
      assertEquals(reread(Schema.Struct({ text: Schema.String }), { text }), { text })
    }
  })

  it("measures what it writes in bytes of UTF-8, to the byte", () => {
    const codec = Codec.make(Schema.String, 1000)
    assert(codec.encode("a".repeat(998)).ok)
    assert(codec.encode("é".repeat(499)).ok)
    assertEquals(codec.encode("é".repeat(499) + "a"), {
      ok: false,
      reason: "it is 1001 bytes of JSON, more than the limit of 1000",
    })
    assert(codec.decode(JSON.stringify("a".repeat(5000))).ok)
  })
})
