/**
 * Jobs with their handlers.
 */
import { Effect } from "effect"
import { AttemptContext, forTest } from "../AttemptContext.ts"
import type * as Job from "../Job.ts"
import * as Problem from "../Problem.ts"

/** Marks a job with its handler. */
export const HandledTypeId = "~millrace/HandledJob"

/** A job with its handler, where both are right. */
export const handled = (
  job: Omit<Job.Any, "prototype">,
  step: unknown,
  handler: unknown,
): Job.AnyHandled => {
  Problem.throwFirst(Problem.ofSlug(`job "${job.slug}"`, "step", step))
  Problem.throwFirst(Problem.ofFunction(`job "${job.slug}"`, "handler", "the input", handler))
  return withHandler(job, step as string, handler as Job.Handler<any, any, any, any>)
}

const withHandler = (
  job: Omit<Job.Any, "prototype">,
  step: string,
  handler: Job.Handler<any, any, any, any>,
): Job.AnyHandled => ({
  [HandledTypeId]: HandledTypeId,
  job: job as Job.Any,
  slug: job.slug,
  queue: job.queue,
  steps: [step],
  definition: {
    ...job.definition,
    steps: job.definition.steps.map((one) => ({ ...one, slug: step })),
  },
  handler,
  handlerFor: (name) => name === step ? handler : undefined,
  perform: (input, facts) =>
    Effect.suspend(() => {
      const ctx = forTest({ flow: job.slug, step, queue: job.queue, input, ...facts })
      return Effect.provideService(handler(input, ctx), AttemptContext, ctx)
    }),
})
