/**
 * The long form of the test that kills workers in the middle of transfers: 10,000 of them, or as
 * many as are asked for, on Bun or with `--deno`, against DATABASE_URL or a throw-away PostgreSQL.
 *
 *     npm run transfers -- 50000 --deno
 */
import process from "node:process"
import { forwardSignals, localEnvironment, run } from "./command.mjs"

const file = "./packages/driver-postgres/test/transfers.test.ts"
const given = process.argv.slice(2)
const count = given.find((argument) => argument !== "--deno") ?? "10000"
if (!/^[1-9]\d*$/.test(count)) {
  console.error(`Cannot run "${count}" transfers: give a whole number of at least 1`)
  process.exit(2)
}
const command = given.includes("--deno")
  ? ["deno", "test", "--allow-all", "--no-check", file]
  : ["bun", "test", "--timeout", String(60_000 + Number(count) * 60), file]

forwardSignals()
const env = { ...localEnvironment(), TRANSFERS: count }
const { code } = await run("node", ["tools/scripts/with-postgres.mjs", "--", ...command], { env })
process.exit(code)
