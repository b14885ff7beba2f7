/**
 * What a user's invariant answers, also where it throws or answers nonsense.
 *
 * @since 0.1.0
 */

/** What an invariant finds wrong, or what is wrong with the invariant.
 * @category running
 * @since 0.1.0 */
export const answerOf = (invariant: () => string | undefined): string | undefined => {
  try {
    const wrong: unknown = invariant()
    return wrong === undefined || typeof wrong === "string"
      ? wrong
      : `it answered ${shown(wrong)}, where a text or undefined is needed`
  } catch (error) {
    return `it threw ${shown(error)}`
  }
}

const shown = (value: unknown): string => {
  try {
    return value instanceof Error ? `${value.name}: ${value.message}` : String(value)
  } catch {
    return "a value that cannot be shown"
  }
}
