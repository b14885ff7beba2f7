/**
 * A flow with its handlers.
 */
import { Effect } from "effect"
import { AttemptContext, forTest } from "../../AttemptContext.ts"
import type { AnyFlow } from "../../FlowBuilder.ts"
import { type AnyHandledFlow, HandledTypeId } from "../../FlowHandlers.ts"
import type * as Job from "../../Job.ts"
import * as Problem from "../../Problem.ts"
import type { Served } from "../worker/Served.ts"
import type { Parts, StepParts } from "./Parts.ts"

type Handler = Served["handler"]

/** Gives a flow its handlers, or throws what is wrong with them. */
export const handled = (
  flow: AnyFlow,
  parts: Parts,
  handlers: Readonly<Record<string, unknown>>,
): AnyHandledFlow => {
  Problem.throwFirst(problemsOf(parts, handlers))
  const find = (slug: string, of: (step: StepParts, given: unknown) => Handler | undefined) => {
    const step = parts.steps.get(slug)
    return step === undefined ? undefined : of(step, handlers[slug])
  }
  const handlerFor = (slug: string) => find(slug, runOf)
  return {
    [HandledTypeId]: HandledTypeId,
    flow,
    slug: flow.slug,
    queue: flow.queue,
    definition: parts.definition,
    handlers,
    handlerFor,
    undoFor: (slug) => find(slug, undoOf),
    perform:
      ((slug: string, input: unknown, facts: Partial<AttemptContext["Service"]>) =>
        Effect.suspend(() => {
          const handler = handlerFor(slug)
          if (handler === undefined) throw new Error(`No handler runs step "${slug}" by itself`)
          const ctx = forTest({ flow: flow.slug, step: slug, queue: flow.queue, ...facts })
          return Effect.provideService(handler(input, ctx), AttemptContext, ctx)
        })) as AnyHandledFlow["perform"],
  }
}

/** What runs a step: its handler, or that of the job that it is. */
export const runOf = (step: StepParts, given: unknown): Handler | undefined => {
  const run = step.step.undo ? (given as { readonly run?: unknown } | undefined)?.run : given
  if (step.job !== undefined) return (run as { readonly handler: Handler }).handler
  return typeof run === "function" ? run as Handler : undefined
}

/** What undoes a step. */
export const undoOf = (step: StepParts, given: unknown): Handler | undefined =>
  step.step.undo ? (given as { readonly undo: Handler }).undo : undefined

const problemsOf = (
  { definition, steps }: Parts,
  handlers: Readonly<Record<string, unknown>>,
): ReadonlyArray<Problem.Problem> => {
  const subject = `flow "${definition.slug}"`
  const one = (option: string, why: string) => ({
    subject,
    option,
    message: `Cannot give ${subject} its handlers: ${why}`,
  })
  const others = Object.keys(handlers).filter((slug) => !takesHandler(steps.get(slug)))
  return [
    ...(steps.size === 0 ? [one("handlers", "it has no steps")] : []),
    ...others.map((slug) => one(slug, `there is no step "${slug}" that takes one`)),
    ...[...steps.values()].filter(takesHandler).flatMap((step) => {
      const { slug } = step.step
      const given = Object.hasOwn(handlers, slug) ? handlers[slug] : undefined
      const why = wrongWith(step, given)
      return why === undefined ? [] : [one(slug, `step "${slug}" needs ${why}`)]
    }),
  ]
}

const takesHandler = (step: StepParts | undefined): step is StepParts =>
  step !== undefined && step.step.kind !== "signal" && step.step.kind !== "sleep"

const wrongWith = (step: StepParts, given: unknown): string | undefined => {
  const parts = given as { readonly run?: unknown; readonly undo?: unknown } | undefined
  if (step.step.undo && (typeof parts?.undo !== "function" || parts.run === undefined)) {
    return "{ run, undo }, since it is to be undone"
  }
  const run = step.step.undo ? parts!.run : given
  const job = (run as { readonly job?: Job.Any } | undefined)?.job
  const flow = (run as { readonly flow?: AnyFlow } | undefined)?.flow
  if (step.job !== undefined) {
    // A class that is made of a job has the definition of that job.
    return job !== undefined && job.definition === step.job.definition
      ? undefined
      : `job "${step.job.slug}" handled`
  }
  if (step.flow !== undefined) {
    return flow?.definition.version === step.step.flow?.version
      ? undefined
      : `flow "${step.step.flow?.slug}" handled`
  }
  return typeof run === "function" ? undefined : "a function of its input"
}
