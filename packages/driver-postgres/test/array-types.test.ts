import { assertEquals } from "@std/assert"
import { drizzle } from "drizzle-orm/postgres-js"
import { after, before, describe, it } from "node:test"
import type { Connection } from "../src/Connection.ts"
import * as PostgresConnection from "../src/PostgresConnection.ts"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"

const texts = ["", "NULL", "null", "a b", `q"uo\\te`, "{x,y}", "\u00fc\u6f22", "line\nbreak"]

const values = [
  "array[1, -3]::int[]",
  "'{}'::int[]",
  "array[[1, 2], [3, 4]]::int[]",
  "array[1, 2]::bigint[]",
  "array[true, false]",
  "array[1.5, 'NaN', 'Infinity']::float8[]",
  "array[1.50]::numeric[]",
  "array['{\"a\": [1, \"b\"]}', '{}']::jsonb[]",
  "array['(1,1),(0,0)', '(3,3),(2,2)']::box[]",
  "array['3 days', '1 year']::interval[]",
  "array['\\xdead', '\\x']::bytea[]",
  "array['[1,2)', 'empty']::int4range[]",
  "array['sad', 'glad']::SCHEMA.mood[]",
  "array[(1, 'a,b')::SCHEMA.pair]",
]

describe("arrays in a transaction of a handler", () => {
  const schema = schemaName()
  // It asks for the types by itself, on a server that stays.
  const client = connect()
  let connection: Connection
  before(async () => {
    await client.unsafe(`create schema "${schema}"`)
    await client.unsafe(`create type "${schema}".mood as enum ('sad', 'glad')`)
    await client.unsafe(`create type "${schema}".pair as (n int, t text)`)
    await client.end()
    connection = PostgresConnection.make({
      url: databaseUrl(),
      ...{ maxConnections: 1, maxTransactions: 1, prepare: true, answerMillis: 5000 },
    })
  })
  after(async () => {
    await connection.close()
    await dropSchema(schema)
  })

  const compare = async (
    text: string,
    cases: ReadonlyArray<readonly [value: string, parameters: ReadonlyArray<unknown>]>,
  ) => {
    const other = connect()
    await other`select 1`
    drizzle({ client: other })
    const begun = await connection.begin()
    try {
      for (const [value, parameters] of cases) {
        const statement = text.replace("VALUE", () => value.replaceAll("SCHEMA", `"${schema}"`))
        const params = parameters as Array<string>
        const [found] = await begun.query(statement, params)
        const [expected] = await other.unsafe(statement, params)
        assertEquals(found!.v, expected!.v, `${statement} ${JSON.stringify(parameters)}`)
      }
    } finally {
      await begun.rollback()
      await other.end()
    }
  }

  it("are read as the client and Drizzle read them", () =>
    compare(
      "select VALUE as v",
      [
        ...values,
        `array[${texts.map((text) => `'${text}'`).join(", ")}]::text[]`,
      ].map((value) => [value, []]),
    ))

  it("are written as the client and Drizzle write them", () =>
    compare("select $1::VALUE::text as v", [
      ["text[]", [texts]],
      ["text[]", [["a", null]]],
      ["int[]", [[1, null, 3]]],
      ["int[]", [[[1, 2], [3, 4]]]],
      ["jsonb[]", [['{"a": [1]}', '"b"']]],
      ["box[]", [["(1,1),(0,0)", "(3,3),(2,2)"]]],
      ["uuid[]", [["01890a5d-ac96-774b-bcce-b302099a8057", null]]],
      ["text[]", ["{by,hand}"]],
    ]))

  it("keep NULL and bounds, where the client reads something else", async () => {
    const begun = await connection.begin()
    const text = "select array[1, null]::int[] as n, '[0:2]={1,2,3}'::int[] as b"
    const [row] = await begun.query(text, [])
    await begun.commit()
    assertEquals({ ...row }, { n: [1, null], b: [1, 2, 3] })
  })
})
