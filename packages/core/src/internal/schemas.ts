import { Schema } from "effect"
import type { Plain } from "../Codec.ts"
import * as Definition from "../Definition.ts"

/**
 * The schemas of a draft that is known to be right; what it leaves out is `void`, and errors
 * `never`.
 */
export const ofDraft = (draft: Definition.Draft) => ({
  input: orDefault(draft.input, Schema.Void),
  output: orDefault(draft.output, Schema.Void),
  error: orDefault(draft.error, Schema.Never),
})

const orDefault = (given: unknown, fallback: Schema.Constraint): Plain =>
  (given === undefined ? fallback : Definition.toSchema(given)) as Plain
