/**
 * What can be done with the runs of a flow.
 */
import { Effect } from "effect"
import * as Client from "../../Client.ts"
import * as Codec from "../../Codec.ts"
import { Driver } from "../../Driver.ts"
import type { Options } from "../../FlowBuilder.ts"
import * as Limits from "../../Limits.ts"
import { RunNotFound } from "../../RunError.ts"
import * as RunHandle from "../../RunHandle.ts"
import * as RunId from "../../RunId.ts"
import * as Unique from "../../Unique.ts"
import { conducting } from "./conducting.ts"
import * as Facts from "./Facts.ts"
import type { Parts } from "./Parts.ts"
import { signal } from "./Signalling.ts"
import { runsOf, standingOf } from "./Standing.ts"
import * as Starting from "./Starting.ts"

/** Makes the methods of a flow, which is put together when the first of them is called. */
export const make = (
  flow: () => { readonly parts: Parts; readonly options: Options<unknown> },
) => {
  let made: Client.AnyJob | undefined
  const job = () => made ??= jobOf(flow().parts, flow().options)
  return {
    runs: job,
    start: (input: unknown, options?: Client.EnqueueOptions) =>
      Client.enqueue(job(), input, options),
    run: (input: unknown, options?: Client.EnqueueOptions) => Client.run(job(), input, options),
    await: (runId: RunId.RunId) => Client.awaitOutput(job(), runId),
    handle: (runId: RunId.RunId) =>
      RunHandle.make({ slug: job().slug, await: (id) => Client.awaitOutput(job(), id) }, runId),
    signal: (runId: RunId.RunId, step: string, value: unknown) => {
      const { definition, steps } = flow().parts
      const outputOf = (slug: string) => steps.get(slug)?.output
      return signal({ definition, outputOf }, runId, step, value)
    },
    output: (runId: RunId.RunId, step: string) => output(flow().parts, runId, step),
    rerun: (runId: RunId.RunId, { from }: { readonly from: string }) =>
      rerun(flow().parts, runId, from),
  }
}

/** The own task of a run, in the shape in which jobs are enqueued. */
const jobOf = (parts: Parts, { expiresIn, tags, unique }: Options<unknown>): Client.AnyJob => {
  const { definition, input, output, error, priority } = parts
  const step = { ...definition.steps[0]!, slug: definition.slug, policy: conducting }
  return {
    slug: definition.slug,
    queue: runsOf(definition.queue),
    definition: { ...definition, steps: [step] },
    codecs: { input, output, error },
    priority,
    tags,
    unique: unique === undefined ? undefined : Unique.policyOf(unique as Unique.Options<never>),
    expiresMillis: Client.expiryOf(expiresIn),
    expand: (own) => Starting.expand(parts, own),
  } as Partial<Client.AnyJob> as Client.AnyJob
}

const output = Effect.fn("Flow.output")(function* (parts: Parts, runId: RunId.RunId, slug: string) {
  const driver = yield* Driver
  const step = parts.steps.get(slug)
  const own = RunId.isRunId(runId) ? yield* driver.find({ ids: [runId], limit: 1 }) : []
  if (own[0]?.flow !== parts.definition.slug || step === undefined) {
    return yield* new RunNotFound({ runId: String(runId) })
  }
  const [progress] = yield* driver.progress([runId])
  const counts = progress?.steps.find((one) => one.step === slug)
  if (standingOf(step.step, counts) !== "completed") return undefined
  const facts = yield* Facts.read(driver, runId, [step.step])
  const fact = facts.get(slug)
  if (fact?._tag !== "Value") return undefined
  const decoded = Codec.make(step.value, Limits.stepInputLength).decode(fact.json)
  return decoded.ok ? decoded.value : yield* Effect.die(
    new Error(`The stored output of step "${slug}" does not match its schema: ${decoded.reason}`),
  )
})

const rerun = Effect.fn("Flow.rerun")(function* (parts: Parts, runId: RunId.RunId, from: string) {
  if (!RunId.isRunId(runId)) return yield* new RunNotFound({ runId: String(runId) })
  const driver = yield* Driver
  const tasks = yield* Starting.again(parts, driver, runId, from)
  if (tasks === undefined) return yield* new RunNotFound({ runId })
  yield* driver.insert(tasks)
  return tasks[0]!.id
})
