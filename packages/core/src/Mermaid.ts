/**
 * Flows as diagrams.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import type * as Flow from "./Flow.ts"
import type { State } from "./Task.ts"

/**
 * Draws a definition as a Mermaid flowchart; with the states of steps, or the steps of a run that
 * `Runs.steps` answers, these are coloured. The same definition always gives the same text.
 *
 * **Details**
 *
 * A map is drawn with double sides, a signal as a hexagon, a sleep with round ends, another flow as
 * a box with slanted sides, and a step with a condition at dotted arrows.
 *
 * **Example** (A flow of two steps, the first of which has completed)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Flow } from "@millrace/core"
 *
 * const Mail = Flow.make("mail").step("write").step("send", { needs: ["write"] })
 * const text = Flow.toMermaid(Mail.definition, { write: "completed" })
 * deepStrictEqual(text.split("\n"), [
 *   "flowchart TD",
 *   `  s0["write"]`,
 *   `  s1["send"]`,
 *   "  s0 --> s1",
 *   "  classDef completed fill:#d3f9d8,stroke:#2b8a3e,color:#000",
 *   "  class s0 completed"
 * ])
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const toMermaid = (
  definition: Flow.Definition,
  states: Readonly<Record<string, State>> | ReadonlyArray<Stood> = {},
): string => {
  // Slugs such as "end" are words of the language, so that nodes are numbered.
  const ids = new Map(definition.steps.map((step, index) => [step.slug, `s${index}`]))
  return [
    "flowchart TD",
    ...definition.steps.map((step) => `  ${ids.get(step.slug)}${nodeOf(step)}`),
    ...definition.steps.flatMap((step) =>
      step.needs.map((need) =>
        `  ${ids.get(need)} ${step.condition === undefined ? "-->" : "-.->"} ${ids.get(step.slug)}`
      )
    ),
    ...coloured(definition, ids, statesOf(states)),
  ].join("\n")
}

/** A step and where it stands, such as one of a run. */
interface Stood {
  readonly step: string
  readonly state: State
}

const statesOf = (
  states: Readonly<Record<string, State>> | ReadonlyArray<Stood>,
): ReadonlyMap<string, State> =>
  new Map(
    Array.isArray(states)
      ? (states as ReadonlyArray<Stood>).map(({ step, state }) => [step, state])
      : Object.entries(states),
  )

const nodeOf = (step: Flow.Step): string => {
  const label = (...lines: ReadonlyArray<string>) =>
    `"${[step.slug, ...lines].map(escaped).join("<br/>")}"`
  switch (step.kind) {
    case "task":
      return step.condition !== undefined && step.needs.length === 0
        ? `[${label("conditional")}]`
        : `[${label()}]`
    case "map":
      return `[[${label(`each of ${step.over?.join(".") || "the input"}`)}]]`
    case "signal":
      return step.waitMillis === undefined
        ? `{{${label("signal")}}}`
        : `{{${label(`signal within ${durationOf(step.waitMillis)}`)}}}`
    case "sleep":
      return `([${label(durationOf(step.waitMillis ?? 0))}])`
    case "flow":
      return `[/${label(`flow ${step.flow?.slug ?? ""}`)}/]`
  }
}

const durationOf = (millis: number): string => Duration.format(Duration.millis(millis))

// Mermaid's own escapes: `#` and a name or number, and `;`.
const escaped = (text: string): string =>
  text.replaceAll(/[^\w .,:+-]/g, (character) => `#${character.codePointAt(0)};`)

const colours: Readonly<Record<State, string>> = {
  waiting: "fill:#f1f3f5,stroke:#868e96,color:#000",
  ready: "fill:#d0ebff,stroke:#1971c2,color:#000",
  running: "fill:#fff3bf,stroke:#f08c00,color:#000",
  completed: "fill:#d3f9d8,stroke:#2b8a3e,color:#000",
  failed: "fill:#ffe3e3,stroke:#c92a2a,color:#000",
  cancelled: "fill:#e9ecef,stroke:#495057,color:#000,stroke-dasharray:4",
  skipped: "fill:#f8f9fa,stroke:#adb5bd,color:#868e96,stroke-dasharray:4",
}

const coloured = (
  definition: Flow.Definition,
  ids: ReadonlyMap<string, string>,
  states: ReadonlyMap<string, State>,
): ReadonlyArray<string> =>
  (Object.keys(colours) as Array<State>).flatMap((state) => {
    const those = definition.steps.filter(({ slug }) => states.get(slug) === state)
    return those.length === 0 ? [] : [
      `  classDef ${state} ${colours[state]}`,
      `  class ${those.map(({ slug }) => ids.get(slug)).join(",")} ${state}`,
    ]
  })
