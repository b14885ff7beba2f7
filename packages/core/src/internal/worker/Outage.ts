/** How long to wait before the next try of a call to the storage, after this many failures. */
export const backoffMillis = (failures: number): number =>
  Math.min(2000, 50 * 2 ** Math.min(failures, 10))
