import { assertEquals } from "@std/assert"
import { ArrayLiteral } from "@millrace/driver-postgres"
import { after, describe, it } from "node:test"
import { connect } from "./server.ts"

const sql = connect()
after(() => sql.end())

// `fetch_types` is on here: the server's answer is read by another parser than ours.
const roundTrip = async (values: ReadonlyArray<string | null>) => {
  const rows = await sql.unsafe(
    "select v, n from unnest($1::text::text[]) with ordinality as u(v, n) order by n",
    [ArrayLiteral.arrayLiteral(values)],
  )
  return rows.map((row) => row.v)
}

const nasty = [
  "",
  "NULL",
  "null",
  null,
  " ",
  ",",
  "{}",
  "{a,b}",
  '"',
  '""',
  "\\",
  "\\\\",
  '\\"',
  "a\nb\r\tc",
  "'; drop table x; --",
  "$1",
  "ü😀\u2028",
  '{"a":"b\\"c\\\\d"}',
]

describe("an array literal", () => {
  it("brings every text back as it was", async () => {
    assertEquals(await roundTrip(nasty), nasty)
    assertEquals(await roundTrip([]), [])
    for (const one of nasty) assertEquals(await roundTrip([one]), [one])
  })

  it("brings random texts back as they were", async () => {
    const alphabet = ['"', "\\", ",", "{", "}", " ", "N", "U", "L", "a", "\n", "'", "$", "é"]
    let seed = 42
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed % below
    }
    for (let round = 0; round < 100; round++) {
      const values = Array.from({ length: random(30) }, () =>
        random(10) === 0 ? null : Array.from(
          { length: random(12) },
          () => alphabet[random(alphabet.length)],
        ).join(""))
      assertEquals(await roundTrip(values), values)
    }
  })

  it("takes numbers, booleans and undefined", () => {
    assertEquals(ArrayLiteral.arrayLiteral([1, -2.5, true, undefined]), "{1,-2.5,true,NULL}")
  })
})
