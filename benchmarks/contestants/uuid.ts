import { randomFillSync } from "node:crypto"

const bytes = new Uint8Array(16)
let last = 0

/** A UUID of version 7, with no more than what the measurement needs. */
export const randomUUIDv7 = (): string => {
  randomFillSync(bytes)
  last = Math.max(Date.now(), last)
  const time = last.toString(16).padStart(12, "0")
  const hex = Buffer.from(bytes.buffer).toString("hex")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-a${hex.slice(3, 6)}-` +
    hex.slice(6, 18)
}
