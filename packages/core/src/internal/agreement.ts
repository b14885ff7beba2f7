import type { Driver } from "../Driver.ts"
import * as Unique from "../Unique.ts"

const seen = new WeakMap<Driver["Service"], Map<string, Unique.Policy | undefined>>()

/**
 * Says how the uniqueness of a job differs from that of another definition of it, by which runs
 * were enqueued before; `undefined` where it does not.
 */
export const disagreement = (
  driver: Driver["Service"],
  slug: string,
  unique: Unique.Policy | undefined,
): string | undefined => {
  let jobs = seen.get(driver)
  if (jobs === undefined) seen.set(driver, jobs = new Map())
  if (!jobs.has(slug)) jobs.set(slug, unique)
  const before = jobs.get(slug)
  return before === unique ? undefined : Unique.difference(before, unique)
}
