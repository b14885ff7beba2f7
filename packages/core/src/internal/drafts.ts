/**
 * What the schedule of a job or a flow is, made of its options and its input, or why it cannot be.
 */
import * as Client from "../Client.ts"
import type * as Codec from "../Codec.ts"
import type { NewTask } from "../Exchange.ts"
import * as Problem from "../Problem.ts"
import type { Draft } from "../Scheduling.ts"
import * as Timetable from "../Timetable.ts"

export const draftOf = (
  job: Client.AnyJob,
  input: unknown,
  options: Timetable.Options,
  defined: boolean,
): Draft | { readonly refused: string } => {
  const [problem] = Timetable.problemsOf("schedule", options)
  if (problem !== undefined) return { refused: detailOf(problem) }
  const template = templateOf(job, input, options.priority)
  if (!template.ok) return { refused: template.reason }
  return { ...Timetable.draftOf(options), defined, template: template.value }
}

/** What every run of a job with this input is stored with. */
const templateOf = (
  job: Client.AnyJob,
  input: unknown,
  priority: number | undefined,
): Codec.Conversion<Draft["template"]> => {
  const encoded = job.codecs.input.encode(input)
  if (!encoded.ok) return encoded
  const keyed = Client.keyedOf(job, input)
  if (!keyed.ok) return keyed
  const options = { priority: priority ?? job.priority }
  const shared = Client.taskOf(job, options, false, undefined)
  const tagged = job.tags === undefined || job.tags.length === 0 ? {} : { tags: job.tags }
  const template = { ...shared, ...tagged, ...keyed.more, input: encoded.value }
  if (job.expand === undefined) return { ok: true, value: template }
  // The id of an occurrence may be taken, so its run begins with its own task.
  const [{ id: _, runId: __, ...own }] = job.expand({ ...template, id: "", runId: "" }) as [NewTask]
  return { ok: true, value: own }
}

/** The words of a problem without what could not be defined. */
export const detailOf = ({ message }: Problem.Problem): string =>
  message.slice(message.indexOf(": ") + 2)

/** The schedule of a definition; throws where there cannot be one. */
export const definedBy = (
  job: Client.AnyJob,
  options: (Timetable.Options & { readonly input?: unknown }) | undefined,
  subject: string = `job "${job.slug}"`,
): Draft | undefined => {
  if (options === undefined) return undefined
  const draft = draftOf(job, options.input, options, true)
  if (!("refused" in draft)) return draft
  const message = `Cannot define ${subject}: schedule.input cannot be enqueued: ${draft.refused}`
  throw new Problem.DefinitionError({ subject, option: "schedule.input", message })
}
