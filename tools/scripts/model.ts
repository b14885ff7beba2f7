/**
 * Runs random programs on PGlite and on PostgreSQL, compared with the memory driver step by step:
 *
 *     npm run model -- --commands 100000 [--length 250] [--from 1] [--on pglite|postgres]
 *     npm run model -- --commands 20000 --flows [--faults] [--from 1]
 *
 * With `--flows` it runs random flows in simulations, compared with the interpreter of graphs.
 *
 * Prints for each driver how much was run, or the shrunk program at the first difference.
 */
import type { Driver, ScheduleStore } from "@millrace/core"
import { Embedded, Postgres } from "@millrace/driver-postgres"
import { FlowModel, Model, Simulation } from "@millrace/testing"
import { Effect, Layer } from "effect"
import process from "node:process"
import { parseArgs } from "node:util"
import postgres from "postgres"

const { values } = parseArgs({
  options: {
    commands: { type: "string", default: "100000" },
    length: { type: "string", default: "250" },
    from: { type: "string", default: "1" },
    on: { type: "string" },
    flows: { type: "boolean", default: false },
    faults: { type: "boolean", default: false },
  },
})

const count = (name: "commands" | "length" | "from"): number => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 1 && value <= 1_000_000_000) return value
  console.error(`--${name} must be an integer of at least 1, got "${values[name]}"`)
  return process.exit(2)
}

const length = count("length")
const programs = Math.ceil(count("commands") / length)
const from = count("from")

/** A schema of its own on the server; it is emptied before each program. */
const schema = `model_${process.pid}`

const onServer = async (work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> => {
  const sql = postgres(process.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} })
  await work(sql)
  await sql.end()
}

type Tested = Driver.Driver | ScheduleStore.ScheduleStore

const drivers: Readonly<Record<string, Layer.Layer<Tested, unknown>>> = {
  pglite: Embedded.layer({ directory: undefined, clock: "effect" }),
  postgres: Postgres.layer({ url: process.env["DATABASE_URL"] ?? "", schema, clock: "effect" }),
}

const run = (name: string) =>
  Effect.gen(function* () {
    const driver = Layer.succeedContext(yield* Effect.context<Tested>())
    const began = performance.now()
    for (let seed = from; seed < from + programs; seed++) {
      const program = { seed, commands: length, driver }
      yield* Effect.catch(Model.check(program), (found): Effect.Effect<never> => {
        console.error(`${name}, seed ${seed}: ${found.message}`)
        return process.exit(1)
      })
    }
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(
      `${name}: ${programs} programs of ${length} commands, ${
        programs * length
      } in all, with seeds ` +
        `${from} to ${from + programs - 1}, in ${seconds} s: no difference from the memory driver`,
    )
  })

const flows = Effect.gen(function* () {
  const faults = values.faults ? Simulation.allFaults : Simulation.noFaults
  const began = performance.now()
  let commands = 0
  let seed = from
  for (; commands < count("commands"); seed++) {
    yield* Effect.catch(FlowModel.check({ seed, faults }), (found): Effect.Effect<never> => {
      console.error(`${found.message}\n${FlowModel.print(seed)}`)
      return process.exit(1)
    })
    commands += FlowModel.commands(seed)
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(
    `${seed - from} flows, ${commands} commands in all, with seeds ${from} to ${seed - 1} and ` +
      `${values.faults ? "all" : "no"} faults, in ${seconds} s: no difference from the interpreter`,
  )
})

if (values.flows) {
  await Effect.runPromise(flows)
  process.exit(0)
}

for (const [name, layer] of Object.entries(drivers)) {
  if (values.on !== undefined && values.on !== name) continue
  await Effect.runPromise(Effect.provide(run(name), layer))
}
if (values.on !== "pglite") {
  await onServer((sql) => sql`drop schema if exists ${sql(schema)} cascade`)
}
