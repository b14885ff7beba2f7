/**
 * The shape of a definition: what stored runs depend on, as a short text that is the same wherever
 * the shape is.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type * as Flow from "./Flow.ts"

/**
 * The version of a definition: 16 hexadecimal digits that follow from its steps, what they need,
 * and the JSON form of their schemas; not from attempts, delays, timeouts, queues and priorities.
 *
 * **Details**
 *
 * The order of steps, of needs and of fields does not matter, and neither do the names and
 * descriptions of schemas. Whether a step has a condition, an undo or a conversion does; what these
 * say cannot be told from outside, since they are functions.
 *
 * @category conversions
 * @since 0.1.0
 */
export const versionOf = (definition: Flow.Definition): string =>
  hash(canonical(shapeOf(definition)))

const shapeOf = ({ slug, flowType, input, steps }: Flow.Definition): unknown => ({
  flowType,
  slug,
  input: formOf(input),
  steps: steps.map((step) => [step.slug, stepOf(step)] as const).sort(byName),
})

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a < b ? -1 : a > b ? 1 : 0

const stepOf = (step: Flow.Step): unknown => ({
  kind: step.kind,
  needs: [...step.needs].sort(),
  over: step.over,
  onFailure: step.onFailure,
  converts: step.convert !== undefined && step.convert !== asIs,
  conditional: step.condition !== undefined,
  undo: step.undo,
  // What a step sees follows from the steps that it needs.
  input: step.kind === "task" && step.convert === undefined ? undefined : formOf(step.input),
  output: formOf(step.output),
  error: formOf(step.error),
  flow: step.flow === undefined ? undefined : shapeOf(step.flow),
})

/** The conversion of a job or a flow that takes what its step sees.
 * @category conversions
 * @since 0.1.0 */
export const asIs = (value: unknown): unknown => value

type Json = Readonly<Record<string, unknown>>

const known = new WeakMap<Schema.Constraint, unknown>()

/** The JSON form of a schema: its JSON Schema, without references and what only people read.
 * @category conversions
 * @since 0.1.0 */
export const formOf = (schema: Schema.Constraint): unknown => {
  const found = known.get(schema)
  if (found !== undefined) return found
  const { schema: root, definitions } = Schema.toJsonSchemaDocument(
    Schema.toCodecJson(schema as Schema.Top),
  )
  const form = resolved(root, definitions as unknown as Json, [])
  known.set(schema, form)
  return form
}

const forPeople: ReadonlySet<string> = new Set([
  ...["title", "description", "examples", "default", "$comment"],
])

/** Resolves references; one to what is being resolved becomes how many levels above that is. */
const resolved = (node: unknown, definitions: Json, above: ReadonlyArray<string>): unknown => {
  const inside = (one: unknown) => resolved(one, definitions, above)
  if (Array.isArray(node)) return node.map(inside)
  if (typeof node !== "object" || node === null) return node
  const { $ref, ...rest } = node as Json
  if (typeof $ref === "string") {
    const name = nameOf($ref)
    const depth = above.lastIndexOf(name)
    return depth < 0
      ? resolved(definitions[name], definitions, [...above, name])
      : { above: above.length - depth }
  }
  return mapped(
    rest,
    (value, key) =>
      key === "properties" || key === "patternProperties"
        ? mapped(value as Json, inside)
        : (key === "required" || key === "enum") && Array.isArray(value)
        ? value.map(canonical).sort()
        : inside(value),
    forPeople,
  )
}

// A pointer writes "~" as "~0" and "/" as "~1", and a URL some of the rest with percents.
const nameOf = (ref: string): string =>
  decodeURIComponent(ref.slice(ref.lastIndexOf("/") + 1))
    .replaceAll("~1", "/")
    .replaceAll("~0", "~")

const mapped = (
  record: Json,
  f: (value: unknown, key: string) => unknown,
  without: ReadonlySet<string> = new Set(),
): Json =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([key]) => !without.has(key))
      .map(([key, value]) => [key, f(value, key)]),
  )

/** JSON text with the keys of objects in order. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const fields = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(byName)
    .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
  return `{${fields.join(",")}}`
}

// http://www.isthe.com/chongo/tech/comp/fnv/ (FNV-1a, 64 bits)
const hash = (text: string): string => {
  let value = 0xcbf29ce484222325n
  for (let index = 0; index < text.length; index++) {
    value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n)
  }
  return value.toString(16).padStart(16, "0")
}
