/**
 * Tags and metadata: what runs are found by. They are stored beside the task, and no handler is
 * given them.
 *
 * @since 0.1.0
 */
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"

/**
 * Tags, and pairs of a name and a value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Labels {
  readonly tags?: ReadonlyArray<string> | undefined
  readonly meta?: Readonly<Record<string, string>> | undefined
}

/**
 * One label as it is stored: a tag has no name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Label {
  readonly name: string
  readonly value: string
}

/** Lists labels one by one, each once.
 * @category conversions
 * @since 0.1.0 */
export const labelsOf = ({ meta = {}, tags = [] }: Labels): ReadonlyArray<Label> => [
  ...[...new Set(tags)].map((value) => ({ name: "", value })),
  ...Object.entries(meta).map(([name, value]) => ({ name, value })),
]

/** Puts single labels together, in the order of their texts; what there is none of is `undefined`.
 * @category conversions
 * @since 0.1.0 */
export const ofLabels = (labels: ReadonlyArray<Label>): Labels => {
  const tags = labels.flatMap(({ name, value }) => name === "" ? [value] : []).sort()
  const pairs = labels.flatMap(({ name, value }) => name === "" ? [] : [[name, value] as const])
  return {
    tags: tags.length === 0 ? undefined : tags,
    meta: pairs.length === 0
      ? undefined
      : Object.fromEntries(pairs.sort(([a], [b]) => a < b ? -1 : 1)),
  }
}

/** Whether all of some labels are among others.
 * @category rules
 * @since 0.1.0 */
export const hasAll = ({ meta = {}, tags = [] }: Labels, wanted: Labels): boolean =>
  (wanted.tags ?? []).every((tag) => tags.includes(tag)) &&
  Object.entries(wanted.meta ?? {}).every(([name, value]) =>
    Object.hasOwn(meta, name) && meta[name] === value
  )

/** Says what is wrong with tags; `undefined` is nothing.
 * @category guards
 * @since 0.1.0 */
export const tagsRefusal = (value: unknown): string | undefined => {
  const accepted = `a list of at most ${Limits.labels} texts of 1 to ${Limits.keyLength} characters`
  if (!Array.isArray(value)) return `${accepted}, got ${Problem.show(value)}`
  if (value.length > Limits.labels) return `${accepted}, got ${value.length}`
  return value.every((tag) => isText(tag, 1, Limits.keyLength))
    ? undefined
    : `${accepted} without control characters`
}

/** Says what is wrong with metadata; `undefined` is nothing.
 * @category guards
 * @since 0.1.0 */
export const metaRefusal = (value: unknown): string | undefined => {
  const accepted = `an object of at most ${Limits.labels} texts`
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    return `${accepted}, got ${Problem.show(value)}`
  }
  const pairs = Object.entries(value as object)
  if (pairs.length > Limits.labels) return `${accepted}, got ${pairs.length}`
  const fit = pairs.every(([name, text]) =>
    isText(name, 1, Limits.metaNameLength) && isText(text, 0, Limits.keyLength)
  )
  return fit
    ? undefined
    : `${accepted} of up to ${Limits.keyLength} characters, with names of 1 to ` +
      `${Limits.metaNameLength}, without control characters`
}

const isText = (text: unknown, min: number, max: number): boolean =>
  typeof text === "string" && text.length >= min && text.length <= max && text.isWellFormed() &&
  !control.test(text)

const control = /\p{Cc}/u

/** Lists the problems of the tags of a definition.
 * @category guards
 * @since 0.1.0 */
export const problemsOf = (subject: string, value: unknown): ReadonlyArray<Problem.Problem> => {
  const refusal = tagsRefusal(value)
  return refusal === undefined ? [] : [{
    subject,
    option: "tags",
    message: `Cannot define ${subject}: tags must be ${refusal}`,
  }]
}

/**
 * The labels of a run: those of its definition, and those that it is enqueued with. Too many
 * together are refused with a sentence.
 *
 * @category conversions
 * @since 0.1.0
 */
export const together = (
  defined: ReadonlyArray<string> | undefined,
  given: Labels | undefined,
): Labels | string => {
  const { meta, tags } = given ?? {}
  // Most runs have none.
  if ((defined ?? []).length === 0 && tags === undefined && meta === undefined) return none
  const refusal = refusalOf(given)
  if (refusal !== undefined) return refusal
  const all = [...new Set([...defined ?? [], ...tags ?? []])]
  if (all.length > Limits.labels) {
    return `tags must be at most ${Limits.labels}, those of the definition included`
  }
  return {
    ...(all.length === 0 ? {} : { tags: all.sort() }),
    ...(meta === undefined || Object.keys(meta).length === 0 ? {} : { meta: { ...meta } }),
  }
}

const none: Labels = {}

const refusalOf = (given: Labels | undefined): string | undefined => {
  const { meta, tags } = given ?? {}
  const ofTags = tags === undefined ? undefined : tagsRefusal(tags)
  if (ofTags !== undefined) return `tags must be ${ofTags}`
  const ofMeta = meta === undefined ? undefined : metaRefusal(meta)
  return ofMeta === undefined ? undefined : `meta must be ${ofMeta}`
}
