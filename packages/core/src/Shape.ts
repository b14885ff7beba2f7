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
 * @category conversions
 * @since 0.1.0
 */
export const versionOf = (definition: Flow.Definition): string =>
  hash(JSON.stringify(shapeOf(definition)))

const shapeOf = ({ slug, flowType, input, steps }: Flow.Definition): unknown => [
  flowType,
  slug,
  schemaOf(input),
  steps.map((step) => [
    step.slug,
    step.kind,
    step.needs,
    step.over ?? null,
    step.onFailure ?? null,
    step.convert !== undefined,
    step.condition !== undefined,
    step.undo,
    schemaOf(step.input),
    schemaOf(step.output),
    schemaOf(step.error),
    step.flow === undefined ? null : shapeOf(step.flow),
  ]),
]

const known = new WeakMap<Schema.Constraint, unknown>()

const schemaOf = (schema: Schema.Constraint): unknown => {
  const found = known.get(schema)
  if (found !== undefined) return found
  const shape = Schema.toJsonSchemaDocument(schema as Schema.Top)
  known.set(schema, shape)
  return shape
}

// http://www.isthe.com/chongo/tech/comp/fnv/ (FNV-1a, 64 bits)
const hash = (text: string): string => {
  let value = 0xcbf29ce484222325n
  for (let index = 0; index < text.length; index++) {
    value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n)
  }
  return value.toString(16).padStart(16, "0")
}
