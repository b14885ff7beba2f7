/**
 * One process of one contestant: takes orders as lines of JSON, and answers each with one.
 *
 *     bun benchmarks/agent.ts CONTESTANT URL
 */
import process from "node:process"
import { createInterface } from "node:readline"
import * as Orders from "./harness/orders.ts"
import { load } from "./contestants/registry.ts"

const [name, url] = process.argv.slice(2) as [string, string]
const orders = Orders.make(await load(name), url)

const answer = (id: number, content: object) =>
  process.stdout.write(`${JSON.stringify({ answer: id, ...content })}\n`)

answer(0, {})
for await (const line of createInterface({ input: process.stdin })) {
  const { id, order, options } = JSON.parse(line)
  try {
    answer(id, { result: await orders[order as keyof Orders.Orders](options) })
  } catch (error) {
    answer(id, { error: error instanceof Error ? error.stack ?? error.message : String(error) })
  }
}
await orders.close({})
process.exit(0)
