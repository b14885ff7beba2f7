/**
 * Flows that are put together from data: everything that is wrong, and the flow where nothing is.
 */
import type * as Flow from "../../Flow.ts"
import type { AnyFlow } from "../../FlowBuilder.ts"
import type { Draft, StepDraft } from "../../FlowDraft.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import * as Make from "./Make.ts"
import { inOrder, needsOf } from "./Order.ts"
import type { StepParts } from "./Parts.ts"
import * as Problems from "./Problems.ts"

type Problems = ReadonlyArray<Problem.Problem>

/** Makes a flow of data, or throws the first thing that is wrong. */
export const make = (draft: Draft): AnyFlow => {
  const { flow, problems } = read(draft)
  Problem.throwFirst(problems)
  return flow!
}

/** Lists everything that is wrong with a flow that is data. */
export const problemsOf = (draft: Draft): Problems => read(draft).problems

interface Read {
  readonly problems: Problems
  readonly flow: AnyFlow | undefined
}

const read = ({ slug, steps, ...options }: Draft): Read => {
  const subject = `flow ${Problem.show(slug)}`
  const wrong = Problems.ofFlow(slug, options)
  const failed = (problems: Problems): Read => ({ problems, flow: undefined })
  if (!Array.isArray(steps) || steps.length === 0) {
    const one = Problem.mustBe(subject, "steps", "an array of at least one step", steps)
    return failed([...wrong, one])
  }
  if (steps.length > Limits.stepsPerFlow) {
    const why = `a flow has at most ${Limits.stepsPerFlow} steps, and not ${steps.length}`
    return failed([...wrong, Problems.cannot(subject, "steps", why)])
  }
  const { sorted, problems } = inOrder(subject, steps)
  if (wrong.length > 0 || problems.length > 0) return failed([...wrong, ...problems])
  return grown(slug as string, options, sorted)
}

/** Adds the steps that nothing is wrong with, and leaves out those that need another one. */
const grown = (slug: string, options: object, sorted: ReadonlyArray<StepDraft>): Read => {
  const problems: Array<Problem.Problem> = []
  const names = new Set(sorted.map((step) => step.slug))
  const left = new Set<unknown>()
  const steps = new Map<string, StepParts>()
  const draft: Make.Draft = { ...Make.begin(slug, options), steps }
  for (const step of sorted) {
    const { kind, given, work } = partsOf(step)
    if (kind === undefined) {
      const subject = `step ${Problem.show(step.slug)} of flow "${slug}"`
      const accepted = `one of ${[...kinds.keys()].join(", ")}`
      problems.push(Problem.mustBe(subject, "kind", accepted, step.kind))
      left.add(step.slug)
    } else if (needsOf(step, names).some((need) => left.has(need))) {
      left.add(step.slug)
    } else {
      const found = Problems.ofStep(draft, kind, step.slug, given, work)
      problems.push(...found)
      if (found.length > 0) left.add(step.slug)
      else {
        const name = step.slug as string
        steps.set(name, Make.stepOf(draft, kind, name, given, work))
      }
    }
  }
  return { problems, flow: problems.length > 0 ? undefined : Make.flowOf(draft) }
}

const kinds: ReadonlyMap<unknown, Flow.StepKind> = new Map([
  ["step", "task"],
  ["map", "map"],
  ["job", "task"],
  ["flow", "flow"],
  ["waitFor", "signal"],
  ["sleep", "sleep"],
])

/** What the method is given that adds a step. */
const partsOf = ({ slug: _, kind = "step", ...rest }: StepDraft) => {
  const { job, flow, duration, ...given } = rest
  const work = kind === "job"
    ? { job }
    : kind === "flow"
    ? { flow }
    : kind === "sleep"
    ? { duration }
    : {}
  // What belongs to another kind is an option that there is not.
  const options = { ...rest }
  for (const key of Object.keys(work)) delete options[key]
  return {
    kind: kinds.get(kind),
    given: (Object.keys(work).length === 0 ? options : given) as Make.Given,
    work: work as Make.Work,
  }
}
