import { Schema } from "effect"
import * as Codec from "../Codec.ts"
import * as Definition from "../Definition.ts"
import * as Limits from "../Limits.ts"

/**
 * The schemas of a draft that is known to be right; what it leaves out is `void`, and errors
 * `never`.
 */
export const ofDraft = (draft: Definition.Draft) => ({
  input: orDefault(draft.input, Schema.Void),
  output: orDefault(draft.output, Schema.Void),
  error: orDefault(draft.error, Schema.Never),
})

const orDefault = (given: unknown, fallback: Schema.Constraint): Codec.Plain =>
  (given === undefined ? fallback : Definition.toSchema(given)) as Codec.Plain

/** The codecs of a job with these schemas. */
export const codecsOf = ({ error, input, output }: ReturnType<typeof ofDraft>) => ({
  input: Codec.make(input, Limits.inputBytes),
  output: Codec.make(output, Limits.outputBytes),
  error: Codec.make(error, Limits.outputBytes),
})
