/**
 * What the compiler must accept and refuse of a worker. Nothing here runs: `tsc` and `deno check`
 * fail where an expected error is none, or an unexpected one is there.
 */
import { type Driver, type DriverError, Job, Worker } from "@millrace/core"
import { Context, Effect, Layer, Schema } from "effect"
import { it } from "node:test"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false

const same = <A, B>(_: Equals<A, B>): void => {}

const typed = (name: string, _types: () => unknown): void => void it(name, () => {})

class Mailer extends Context.Service<Mailer, {
  readonly send: (to: string) => Effect.Effect<void>
}>()("test/Mailer") {}

class Clockwork extends Context.Service<Clockwork, number>()("test/Clockwork") {}

const mail = Job.make("mail", { input: Schema.String }).perform((to) =>
  Effect.flatMap(Mailer, (mailer) => mailer.send(to))
)
const tick = Job.make("tick").perform(() => Effect.asVoid(Clockwork))
const plain = Job.make("plain").perform(() => Effect.void)

declare const driver: Layer.Layer<Driver.Driver, DriverError>
declare const mailer: Layer.Layer<Mailer>
declare const clockwork: Layer.Layer<Clockwork>

typed("a worker needs what its handlers need, and a driver", () => {
  const layer = Worker.layer({ jobs: [mail, tick, plain] })
  same<
    typeof layer,
    Layer.Layer<Worker.Worker, DriverError, Driver.Driver | Mailer | Clockwork>
  >(true)
  const alone = Worker.layer({ jobs: [plain] })
  same<typeof alone, Layer.Layer<Worker.Worker, DriverError, Driver.Driver>>(true)
})

typed("a worker whose handlers' services nobody provides is an error", () => {
  Worker.run({ jobs: [mail, tick] }, Layer.mergeAll(driver, mailer, clockwork))
  // @ts-expect-error: nobody provides the mailer.
  Worker.run({ jobs: [mail] }, driver)
  // @ts-expect-error: nobody provides the clockwork.
  Worker.run({ jobs: [mail, tick] }, Layer.merge(driver, mailer))
  // @ts-expect-error: nobody provides the driver.
  Worker.run({ jobs: [mail] }, mailer)
  const served = Effect.provide(Effect.never, Worker.layer({ jobs: [mail] }))
  // @ts-expect-error: nobody provides the mailer, nor the driver.
  Effect.runPromise(served)
})

typed("what a worker stops with may need what is provided, and the worker", () => {
  const until = Effect.andThen(Worker.Worker, Mailer)
  Worker.run({ jobs: [plain], until }, Layer.merge(driver, mailer))
  // @ts-expect-error: nobody provides the mailer.
  Worker.run({ jobs: [plain], until }, driver)
})

typed("an option that a worker does not have is an error", () => {
  // @ts-expect-error: it is called concurrency.
  Worker.layer({ jobs: [plain], parallel: 3 })
  // @ts-expect-error: a duration has a unit.
  Worker.layer({ jobs: [plain], lease: "30" })
  // @ts-expect-error: a job without a handler cannot be served.
  Worker.layer({ jobs: [plain.job] })
})
