/**
 * All that it takes to run a flow, besides the handlers: the definition, and compiled codecs.
 */
import { Schema } from "effect"
import * as Codec from "../../Codec.ts"
import type * as Flow from "../../Flow.ts"
import * as Limits from "../../Limits.ts"
import type * as Job from "../../Job.ts"
import type { Plannable } from "./Plan.ts"
import { elementAt } from "./schemas.ts"

/** A step with its codecs. */
export interface StepParts {
  readonly step: Flow.Step
  readonly input: Codec.Any
  readonly output: Codec.Any
  readonly error: Codec.Any
  /** What later steps see of it. */
  readonly value: Codec.Plain
  readonly retryable: (error: unknown) => boolean
  /** The job that it is. */
  readonly job: Omit<Job.Any, "prototype"> | undefined
  /** The flow that it is. */
  readonly flow: Parts | undefined
}

/** A flow without its handlers. */
export interface Parts extends Plannable {
  readonly input: Codec.Any
  readonly output: Codec.Any
  readonly error: Codec.Any
  readonly steps: ReadonlyMap<string, StepParts>
}

/** Puts the parts of a flow together. */
export const make = (
  definition: Flow.Definition,
  priority: number,
  steps: ReadonlyMap<string, StepParts>,
): Parts => {
  const seen = new Map<string, Codec.Any>()
  // What a step sees is decoded only where a condition, a conversion or a map asks for it.
  const seenBy = (step: Flow.Step): Codec.Any => {
    const known = seen.get(step.slug)
    if (known !== undefined) return known
    const made = step.needs.length === 0
      ? input
      : Codec.make(valueSchema(step, steps), Limits.stepInputLength)
    seen.set(step.slug, made)
    return made
  }
  const input = Codec.make(definition.input as Codec.Plain, Limits.inputBytes)
  return {
    definition,
    priority,
    steps,
    input,
    output: Codec.make(outputSchema(definition, steps), Limits.runOutputLength),
    error: errorCodec(steps),
    decodeValue: (step, json) => seenBy(step).decode(json),
    encodeInput: (step, value) => steps.get(step.slug)!.input.encode(value),
    elementsOf: (step, json) => {
      const value = seenBy(step).decode(json)
      if (!value.ok) return value
      const path = step.needs.length === 0 ? (step.over ?? []).slice(1) : step.over ?? []
      const array = elementAt(value.value, path)
      if (!Array.isArray(array)) return notArray(step)
      const texts: Array<string> = []
      for (const element of array) {
        const text = steps.get(step.slug)!.input.encode(element)
        if (!text.ok) return text
        texts.push(text.value)
      }
      return { ok: true, value: texts }
    },
  }
}

const notArray = (step: Flow.Step) => ({
  ok: false as const,
  reason: `"${(step.over ?? []).join(".")}" is not an array`,
})

/** The schema of what a step with needs sees. */
export const valueSchema = (
  step: Pick<Flow.Step, "needs">,
  steps: ReadonlyMap<string, StepParts>,
): Codec.Plain =>
  structOf(step.needs.map((need) => {
    const { step: needed, value } = steps.get(need)!
    return [need, value, mayBeAbsent(needed)]
  }))

/** The schema of the output of a run. */
export const outputSchema = (
  definition: Flow.Definition,
  steps: ReadonlyMap<string, StepParts>,
): Codec.Plain => {
  const needed = new Set(definition.steps.flatMap((step) => step.needs))
  const leaves = definition.steps.filter((step) => !needed.has(step.slug))
  return structOf(leaves.map(({ slug }) => [slug, steps.get(slug)!.value, true]))
}

const structOf = (
  fields: ReadonlyArray<readonly [string, Codec.Plain, boolean]>,
): Codec.Plain =>
  Schema.Struct(Object.fromEntries(fields.map(([key, schema, optional]) => [
    key,
    optional ? Schema.optionalKey(schema as unknown as Schema.Codec<unknown>) : schema,
  ]))) as unknown as Codec.Plain

/** Whether later steps may run without it. */
export const mayBeAbsent = (step: Flow.Step): boolean =>
  (step.condition !== undefined && step.whenUnmet === "skip") || step.whenExhausted === "skip"

/** Reads how a run failed: `{ step, error }`, the error with the codec of its step. */
const errorCodec = (steps: ReadonlyMap<string, StepParts>): Codec.Any => ({
  encode: ({ step, error }: { readonly step: string; readonly error: unknown }) => {
    const text = steps.get(step)!.error.encode(error)
    return text.ok
      ? { ok: true, value: `{"step":${JSON.stringify(step)},"error":${text.value}}` }
      : text
  },
  decode: (text) => {
    const whole = JSON.parse(text) as { readonly step?: unknown; readonly error?: unknown }
    const codec = typeof whole.step === "string" ? steps.get(whole.step)?.error : undefined
    if (codec === undefined) return { ok: false, reason: "it names no step" }
    const error = codec.decode(JSON.stringify(whole.error))
    return error.ok ? { ok: true, value: { step: whole.step, error: error.value } } : error
  },
})
