/**
 * Schemas of the parts of values.
 */
import type { Codec as CodecOf } from "effect/Schema"
import { Schema } from "effect"
import type { Plain } from "../../Codec.ts"

/** The value at the end of a path. */
export const elementAt = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined,
    value,
  )

interface Inside {
  readonly schema?: Plain
  readonly fields?: Readonly<Record<string, Plain>>
  readonly value?: Plain
}

/** The schema of the elements of the array at the end of a path; `undefined` where it hides. */
export const elementSchema = (schema: Plain, path: ReadonlyArray<string>): Plain | undefined => {
  let at: Plain | undefined = schema
  for (const key of path) {
    const { fields } = unwrapped(at)
    at = fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined
    if (at === undefined) return undefined
  }
  return unwrapped(at).value
}

// A brand, a mutable array, or an optional key is around the schema that it is about.
const unwrapped = (schema: Plain): Inside => {
  let at = schema as unknown as Inside
  while (at.fields === undefined && at.value === undefined && at.schema !== undefined) {
    at = at.schema as unknown as Inside
  }
  return at
}

const text = Schema.String as unknown as CodecOf<unknown>

/** The value of a map that has a result for each element. */
export const resultsOf = (output: Plain, error: Plain): Plain =>
  Schema.Array(Schema.Union([
    Schema.TaggedStruct("Success", { value: output as unknown as CodecOf<unknown> }),
    Schema.TaggedStruct("Failure", {
      message: text,
      error: Schema.optionalKey(error as unknown as CodecOf<unknown>),
    }),
  ])) as unknown as Plain

/** The value of a map that has the outputs of its elements. */
export const arrayOf = (output: Plain): Plain =>
  Schema.Array(output as unknown as CodecOf<unknown>) as unknown as Plain
