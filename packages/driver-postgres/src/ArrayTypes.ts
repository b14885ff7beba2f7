/**
 * Arrays of all of a server's types, for the statements of handlers.
 *
 * The client can ask for these types by itself, but holds nobody to the answer: a server that goes
 * away meanwhile ends the process. So it is told not to, and they are asked for here.
 *
 * @since 0.1.0
 */
import type postgres from "postgres"
import { elementLiteral } from "./ArrayLiteral.ts"

type Parse = (text: string) => unknown

const arrays = `
select e.oid::int as element, a.oid::int as type, e.typdelim as delimiter
from pg_catalog.pg_type a join pg_catalog.pg_type e on e.oid = a.typelem
where a.typcategory = 'A' and e.typarray = a.oid order by a.oid`

/** Lets a client read and write arrays of every type that the server has now.
 * @category running
 * @since 0.1.0 */
export const learn = async (client: postgres.Sql): Promise<void> => {
  const { parsers, serializers } = client.options
  for (const { delimiter, element, type } of await client.unsafe(arrays)) {
    parsers[type] ??= (text: string) => parse(text, parsers[element] ?? asIs, delimiter)
    serializers[type] ??= (value: unknown) => serialize(value, serializers[element], delimiter)
  }
}

const asIs: Parse = (text) => text

/**
 * Reads what PostgreSQL writes for an array, with its dimensions.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (text: string, ofElement: Parse, delimiter = ","): ReadonlyArray<unknown> => {
  const tokens = new RegExp(`[{}]|"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"|[^{}"${delimiter}]+`, "gs")
  const root: Array<unknown> = []
  const open = [root]
  // Bounds other than from 1 stand before the elements.
  for (const [token, quoted] of text.slice(text.indexOf("{")).matchAll(tokens)) {
    const inner = open.at(-1)!
    if (token === "{") {
      const next: Array<unknown> = []
      inner.push(next)
      open.push(next)
    } else if (token === "}") open.pop()
    else if (quoted !== undefined) inner.push(ofElement(quoted.replace(/\\(.)/gs, "$1")))
    else inner.push(token === "NULL" ? null : ofElement(token))
  }
  return root[0] as ReadonlyArray<unknown>
}

/**
 * Writes an array of any dimensions; what is none is written as the client writes other values.
 *
 * @category conversions
 * @since 0.1.0
 */
export const serialize = (
  value: unknown,
  ofElement: ((value: unknown) => unknown) | undefined,
  delimiter = ",",
): string => {
  if (!Array.isArray(value)) return String(value)
  const elements = value.map((one) => {
    if (Array.isArray(one)) return serialize(one, ofElement, delimiter)
    if (one === null || one === undefined) return elementLiteral(null)
    return elementLiteral(String(ofElement === undefined ? one : ofElement(one)))
  })
  return `{${elements.join(delimiter)}}`
}
