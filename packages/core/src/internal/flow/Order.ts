/**
 * The order of steps that come in any order. Pure.
 */
import type { StepDraft } from "../../FlowDraft.ts"
import * as Problem from "../../Problem.ts"
import { cannot } from "./Problems.ts"

type Problems = ReadonlyArray<Problem.Problem>

/**
 * Sorts steps so that each comes after those that it needs, and otherwise as they came; or lists
 * slugs that are there twice, needs that there are not, or one circle.
 */
export const inOrder = (
  subject: string,
  steps: ReadonlyArray<StepDraft>,
): { readonly sorted: ReadonlyArray<StepDraft>; readonly problems: Problems } => {
  const named = new Map(steps.map((step) => [step.slug, step]))
  const problems = [...twice(subject, steps), ...missing(subject, steps, named)]
  if (problems.length > 0) return { sorted: [], problems }
  const followers = new Map(steps.map((step) => [step.slug, [] as Array<StepDraft>]))
  const pending = new Map<unknown, number>()
  for (const step of steps) {
    const needs = new Set(needsOf(step, named))
    pending.set(step.slug, needs.size)
    for (const need of needs) followers.get(need)!.push(step)
  }
  const sorted = steps.filter((step) => pending.get(step.slug) === 0)
  // It grows while it is gone through.
  for (const step of sorted) {
    for (const follower of followers.get(step.slug)!) {
      const left = pending.get(follower.slug)! - 1
      pending.set(follower.slug, left)
      if (left === 0) sorted.push(follower)
    }
  }
  if (sorted.length === steps.length) return { sorted, problems: [] }
  const placed = new Set<unknown>(sorted.map((step) => step.slug))
  return { sorted: [], problems: [circle(subject, steps, named, placed)] }
}

/** The steps that a step needs, as far as that can be told; that of a map begins its path. */
export const needsOf = (
  { kind, needs, over }: StepDraft,
  names: { readonly has: (slug: unknown) => boolean },
): ReadonlyArray<unknown> => {
  if (kind !== "map") return Array.isArray(needs) ? needs : []
  const head = typeof over === "string" ? over.split(".")[0] : undefined
  return names.has(head) ? [head] : []
}

const twice = (subject: string, steps: ReadonlyArray<StepDraft>): Problems => {
  const seen = new Set<unknown>()
  return steps.flatMap(({ slug }) => {
    const isThere = seen.has(slug)
    seen.add(slug)
    return isThere ? [cannot(subject, "steps", `it has two steps ${Problem.show(slug)}`)] : []
  })
}

const missing = (
  subject: string,
  steps: ReadonlyArray<StepDraft>,
  named: ReadonlyMap<unknown, StepDraft>,
): Problems =>
  steps.flatMap((step) =>
    needsOf(step, named).filter((need) => !named.has(need)).map((need) =>
      cannot(
        `step ${Problem.show(step.slug)} of ${subject}`,
        "needs",
        `it needs ${Problem.show(need)}, and there is no such step`,
      )
    )
  )

/** Follows needs that are not placed, from step to step, until it comes back to one. */
const circle = (
  subject: string,
  steps: ReadonlyArray<StepDraft>,
  named: ReadonlyMap<unknown, StepDraft>,
  placed: ReadonlySet<unknown>,
): Problem.Problem => {
  const path: Array<unknown> = []
  let slug = steps.find((step) => !placed.has(step.slug))!.slug
  while (!path.includes(slug)) {
    path.push(slug)
    slug = needsOf(named.get(slug)!, named).find((need) => !placed.has(need))
  }
  const round = [...path.slice(path.indexOf(slug)), slug].map(Problem.show)
  return round.length === 2
    ? cannot(subject, "needs", `its step ${round[0]} needs itself`)
    : cannot(subject, "needs", `its steps need each other: ${round.join(" needs ")}`)
}
