/**
 * How far a run can go: what starts, what is over at once, until nothing more can. Pure; what it
 * does not know of the steps that are over it asks for.
 */
import type { NewTask } from "../../Exchange.ts"
import type * as Flow from "../../Flow.ts"
import type { Failure } from "../../Outcome.ts"
import type { Fact } from "./Facts.ts"
import { plan, type Plannable, type RunFacts } from "./Plan.ts"
import { isOver, type Standing } from "./Standing.ts"

/** How far it went. */
export type Advanced =
  /** It has to know first what these steps came to: `learn` it, and call again. */
  | { readonly _tag: "Asks"; readonly steps: ReadonlyArray<Flow.Step> }
  | { readonly _tag: "Refused"; readonly failure: Failure }
  | { readonly _tag: "Waits"; readonly starts: ReadonlyArray<NewTask> }
  /** All steps are over; those that were decided on here are to be stored. */
  | { readonly _tag: "Over"; readonly starts: ReadonlyArray<NewTask> }

/** What is known of a run. */
export interface Known {
  readonly flow: Plannable
  readonly run: RunFacts
  readonly standings: ReadonlyMap<string, Standing>
  /** Signals that came before their step. */
  readonly signals: ReadonlyMap<string, string>
}

export class Advance {
  readonly #known: Known
  readonly #standings: Map<string, Standing>
  readonly #facts = new Map<string, Fact>()
  readonly #starts: Array<NewTask> = []
  #ready: Array<Flow.Step>

  constructor(known: Known) {
    this.#known = known
    this.#standings = new Map(known.standings)
    this.#ready = known.flow.definition.steps.filter((step) => this.#isReady(step))
  }

  /** Takes what steps came to. */
  learn(facts: ReadonlyMap<string, Fact>): void {
    for (const [slug, fact] of facts) this.#facts.set(slug, fact)
  }

  /** What a step came to, where that is known. */
  factOf(slug: string): Fact | undefined {
    return this.#facts.get(slug)
  }

  /** Goes as far as it can. */
  run(): Advanced {
    const { definition } = this.#known.flow
    while (this.#ready.length > 0) {
      const unknown = this.#unknownOf(this.#ready.flatMap((step) => step.needs))
      if (unknown.length > 0) return { _tag: "Asks", steps: unknown }
      for (const step of this.#ready.splice(0)) {
        const refused = this.#begin(step)
        if (refused !== undefined) return { _tag: "Refused", failure: refused }
      }
    }
    const over = definition.steps.every((step) => isOver(this.#standings.get(step.slug)))
    return { _tag: over ? "Over" : "Waits", starts: this.#starts }
  }

  #begin(step: Flow.Step): Failure | undefined {
    const { flow, run, signals } = this.#known
    const planned = plan(flow, run, step, this.#facts, signals.get(step.slug))
    if (planned._tag === "Refused") return planned.failure
    if (planned._tag === "Started") {
      for (const task of planned.tasks) this.#starts.push(task)
      this.#standings.set(step.slug, "open")
      return undefined
    }
    this.#starts.push(planned.task)
    this.#facts.set(step.slug, planned.fact)
    this.#standings.set(step.slug, planned.fact._tag === "Value" ? "completed" : "skipped")
    const followers = followersOf(flow.definition).get(step.slug) ?? []
    this.#ready.push(...followers.filter((one) => this.#isReady(one)))
    return undefined
  }

  #isReady(step: Flow.Step): boolean {
    return this.#standings.get(step.slug) === "none" &&
      step.needs.every((need) => isOver(this.#standings.get(need)))
  }

  #unknownOf(slugs: ReadonlyArray<string>): ReadonlyArray<Flow.Step> {
    const unknown = new Set(slugs.filter((slug) => !this.#facts.has(slug)))
    return unknown.size === 0
      ? []
      : this.#known.flow.definition.steps.filter((step) => unknown.has(step.slug))
  }
}

const followers = new WeakMap<Flow.Definition, ReadonlyMap<string, ReadonlyArray<Flow.Step>>>()

/** The steps that need each step. */
export const followersOf = (
  definition: Flow.Definition,
): ReadonlyMap<string, ReadonlyArray<Flow.Step>> => {
  const known = followers.get(definition)
  if (known !== undefined) return known
  const made = new Map<string, Array<Flow.Step>>()
  for (const step of definition.steps) {
    for (const need of step.needs) {
      const found = made.get(need)
      if (found === undefined) made.set(need, [step])
      else found.push(step)
    }
  }
  followers.set(definition, made)
  return made
}

/** The steps that no step needs: what they come to is the output of the run. */
export const leavesOf = (definition: Flow.Definition): ReadonlyArray<Flow.Step> =>
  definition.steps.filter((step) => !followersOf(definition).has(step.slug))
