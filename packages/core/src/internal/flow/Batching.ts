/**
 * A batch as a flow: a map over its inputs, what they came to, and what follows.
 */
import { Effect, Schema } from "effect"
import { AttemptContext } from "../../AttemptContext.ts"
import type { Counts, Summary } from "../../Batch.ts"
import type * as Client from "../../Client.ts"
import { Driver } from "../../Driver.ts"
import * as Flow from "../../FlowDraft.ts"
import type { Result } from "../../FlowTypes.ts"
import * as Job from "../../Job.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import * as Progress from "../../Progress.ts"
import { InputInvalid, RunNotFound } from "../../RunError.ts"
import * as RunHandle from "../../RunHandle.ts"
import * as RunId from "../../RunId.ts"
import { completionOf, register } from "../completions.ts"
import { derive } from "./TaskIds.ts"

/** What a batch is told, before it is checked. */
export interface Options {
  readonly job: Job.Any
  readonly then?: Job.Any | Next | undefined
}

interface Next {
  readonly job: Job.Any
  readonly input: (summary: Summary) => unknown
}

type Handler = Job.Handler<unknown, unknown, unknown, unknown>

/** Makes a batch, or throws the first thing that is wrong with it. */
export const make = (slug: string, options: Options, schema: typeof Summary) => {
  Problem.throwFirst(problemsOf(slug, options))
  const flow = Flow.ofDraft({ slug, steps: stepsOf(options, schema), input: inputsOf(options.job) })
  const awaited = Effect.fnUntraced(function* (runId: RunId.RunId) {
    yield* flow.await(runId)
    return (yield* flow.output(runId, summarizing)) as Summary
  })
  return {
    slug,
    flow,
    start: (inputs: ReadonlyArray<unknown>, more?: Client.EnqueueOptions) =>
      inputs.length > Limits.mapElements ? tooMany(slug, inputs.length) : flow.start(inputs, more),
    await: awaited,
    progress: (runId: RunId.RunId) => progress(slug, runId),
    handle: (runId: RunId.RunId) => RunHandle.make({ slug, await: awaited }, runId),
    perform: (handlers: { readonly job: Job.AnyHandled; readonly then?: Job.AnyHandled }) => {
      Problem.throwFirst(handlerProblemsOf(slug, options, handlers))
      return flow.perform({
        [mapping]: each(handlers.job),
        [summarizing]: summarize(schema),
        ...(handlers.then === undefined ? {} : { [following]: handlers.then }),
      } as never)
    },
  }
}

const tooMany = (job: string, count: number) =>
  new InputInvalid({
    job,
    detail: `it has ${count} inputs, and may have ${Limits.mapElements}; start several batches`,
  })

const mapping = "each"
const summarizing = "summary"
const following = "then"

/** How many failures a summary tells. */
const failuresTold = 100

const stepsOf = (
  { job, then }: Options,
  schema: typeof Summary,
): ReadonlyArray<Flow.StepDraft> => {
  const { error, policy } = job.definition.steps[0]!
  const tried = {
    ...{ maxAttempts: policy.maxAttempts, maxCrashes: policy.maxCrashes },
    ...{ backoff: policy.backoff, timeout: policy.timeoutMillis },
  }
  const next = nextOf(then)
  return [
    {
      ...{ slug: mapping, kind: "map", over: "input", onFailure: "collect", ...tried },
      ...{ queue: job.queue, priority: job.priority, element: job.definition.input, error },
      retryable: (error: unknown) => job.retryable(error),
    },
    { slug: summarizing, needs: [mapping], output: schema, maxAttempts: summaryAttempts },
    ...(next === undefined ? [] : [stepOf(next)]),
  ]
}

const stepOf = ({ input, job }: Next): Flow.StepDraft => ({
  ...{ slug: following, kind: "job", needs: [summarizing], job, priority: job.priority },
  input: (seen: { readonly summary: Summary }) => input(seen.summary),
})

/** Nothing that it does can fail, so only what is outside of it can. */
const summaryAttempts = 10

const inputsOf = (job: Job.Any): Schema.Constraint =>
  Schema.Array(job.definition.input as Schema.Codec<unknown>)

const nextOf = (then: Options["then"]): Next | undefined =>
  then === undefined
    ? undefined
    : Job.isJob(then)
    ? { job: then, input: (summary) => summary }
    : then as Next

/** The job's handler, which is told its own input, as everywhere. */
const each = ({ handler }: Job.AnyHandled): Handler => (input, ctx) =>
  Effect.suspend(() => {
    const own = register({ ...ctx, input }, completionOf(ctx) ?? "test")
    return Effect.provideService(handler(input, own), AttemptContext, own)
  }).pipe(Effect.asVoid)

const summarize =
  (schema: typeof Summary) =>
  (seen: { readonly each: ReadonlyArray<Result<void, unknown>> }, ctx: AttemptContext["Service"]) =>
    Effect.sync(() => {
      const all = seen[mapping]
      const failed = all.flatMap((result, index) =>
        result._tag === "Success" ? [] : [{
          ...{ index, taskId: derive(ctx.runId, mapping, index), message: result.message },
        }]
      )
      return new schema({
        ...{ batch: ctx.runId, total: all.length, completed: all.length - failed.length },
        ...{ failed: failed.length, failures: failed.slice(0, failuresTold) },
      })
    })

const progress = Effect.fn("Batch.progress")(function* (slug: string, runId: RunId.RunId) {
  const driver = yield* Driver
  const [own] = RunId.isRunId(runId) ? yield* driver.find({ ids: [runId], limit: 1 }) : []
  if (own?.flow !== slug) return yield* new RunNotFound({ runId: String(runId) })
  const [found] = yield* driver.progress([runId])
  const counts = found?.steps.find(({ step }) => step === mapping) ?? Progress.none(mapping)
  const { tasks: total, completed, failed, cancelled } = counts
  return { total, open: Progress.open(counts), completed, failed, cancelled } satisfies Counts
})

const problemsOf = (slug: string, options: unknown): ReadonlyArray<Problem.Problem> => {
  const subject = `batch ${Problem.show(slug)}`
  const { job, then, ...others } = (options ?? {}) as Partial<Options>
  const wrong = (option: string, why: string) => ({
    ...{ subject, option, message: `Cannot define ${subject}: ${why}` },
  })
  const other = Object.keys(others).map((option) =>
    wrong(option, `there is no option ${Problem.show(option)}`)
  )
  if (!Job.isJob(job)) return [...other, Problem.mustBe(subject, "job", "a job", job)]
  const kept = (["group", "unique"] as const).filter((option) => job[option] !== undefined)
  return [
    ...other,
    ...Problem.ofSlug(subject, "slug", slug),
    ...kept.map((option) =>
      wrong("job", `job "${job.slug}" has ${option}, which the tasks of a batch cannot keep`)
    ),
    ...(then === undefined || isNext(then)
      ? []
      : [Problem.mustBe(subject, "then", "a job, or { job, input }", then)]),
  ]
}

const isNext = (then: unknown): boolean => {
  if (Job.isJob(then)) return true
  const { input, job } = (then ?? {}) as { readonly input?: unknown; readonly job?: unknown }
  return Job.isJob(job) && typeof input === "function"
}

const handlerProblemsOf = (
  slug: string,
  { job }: Options,
  handlers: { readonly job?: { readonly job?: Job.Any } },
): ReadonlyArray<Problem.Problem> =>
  handlers.job?.job?.definition === job.definition ? [] : [{
    ...{ subject: `batch "${slug}"`, option: "job" },
    message: `Cannot give batch "${slug}" its handlers: it needs job "${job.slug}" handled`,
  }]
