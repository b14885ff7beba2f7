/**
 * Definitions as they are registered, and compared before a deploy.
 */
import * as Backoff from "../Backoff.ts"
import type { Candidate } from "../Deploy.ts"
import type { TaskRecord } from "../Driver.ts"
import type * as Flow from "../Flow.ts"
import type { AnyFlow } from "../FlowBuilder.ts"
import type * as Job from "../Job.ts"
import * as Shape from "../Shape.ts"
import type { Parts } from "./flow/Parts.ts"

/** How many delays tell one backoff from another. */
const shownDelays = 8

/** A job, to be registered or compared. */
export const ofJob = (job: Omit<Job.Any, "prototype">): Candidate => ({
  slug: job.slug,
  version: Shape.versionOf(job.definition),
  flowType: "job",
  options: {
    queue: job.queue,
    priority: String(job.priority),
    ...(job.expiresMillis === undefined ? {} : { expiresMillis: String(job.expiresMillis) }),
    ...policyOf("", job.definition.steps[0]!.policy),
  },
  reads: (task) => job.codecs.input.decode(task.input).ok,
})

/** A flow, to be registered or compared. */
export const ofFlow = ({ parts }: Pick<AnyFlow, "parts">): Candidate => {
  const { definition, priority } = parts
  const steps = definition.steps.map((step) => ({
    ...policyOf(`${step.slug}.`, step.policy),
    ...(step.queue === undefined ? {} : { [`${step.slug}.queue`]: step.queue }),
    ...(step.priority === undefined ? {} : { [`${step.slug}.priority`]: String(step.priority) }),
    ...(step.waitMillis === undefined
      ? {}
      : { [`${step.slug}.waitMillis`]: String(step.waitMillis) }),
    [`${step.slug}.startDelayMillis`]: String(step.startDelayMillis),
  }))
  return {
    slug: definition.slug,
    version: definition.version!,
    flowType: "flow",
    options: Object.assign(
      { queue: definition.queue, priority: String(priority) },
      ...steps,
    ) as Readonly<Record<string, string>>,
    reads: (task) => reads(parts, task),
  }
}

const policyOf = (prefix: string, policy: Flow.Policy) => ({
  [`${prefix}maxAttempts`]: String(policy.maxAttempts),
  [`${prefix}maxCrashes`]: String(policy.maxCrashes),
  [`${prefix}timeoutMillis`]: String(policy.timeoutMillis),
  [`${prefix}backoffMillis`]: delaysOf(policy.backoff),
})

// A backoff of the user's own can throw, which is no reason not to serve.
const delaysOf = (backoff: Backoff.Backoff): string => {
  try {
    return Backoff.preview(backoff, shownDelays).join(", ")
  } catch {
    return "its own"
  }
}

const undone = /:undo$/

const reads = (parts: Parts, task: TaskRecord): boolean | undefined => {
  if (task.id === task.runId) return parts.input.decode(task.input).ok
  const step = parts.steps.get(task.step.replace(undone, ""))
  const codec = undone.test(task.step) ? step?.output : step?.input
  return codec?.decode(task.input).ok
}
