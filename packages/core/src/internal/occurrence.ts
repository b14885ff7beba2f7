/**
 * What is made of an occurrence's name: an id and a bit of chance, the same wherever it is made.
 */
import type { RunId } from "../RunId.ts"

/** A hash of 128 bits, as four numbers of 32. It is no secret, and no protection. */
export const hashOf = (text: string): readonly [number, number, number, number] => {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef]
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = turn(Math.imul(a ^ unit, 0x85ebca6b), 13) + b | 0
    b = turn(Math.imul(b ^ a, 0xc2b2ae35), 17) + c | 0
    c = turn(Math.imul(c ^ b, 0x27d4eb2f), 5) + d | 0
    d = turn(Math.imul(d ^ c, 0x165667b1), 11) + a | 0
  }
  for (let round = 0; round < 4; round++) {
    a = mixed(a ^ d)
    b = mixed(b ^ a)
    c = mixed(c ^ b)
    d = mixed(d ^ c)
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0]
}

const turn = (bits: number, by: number): number => bits << by | bits >>> (32 - by)

const mixed = (bits: number): number => {
  const first = Math.imul(bits ^ bits >>> 16, 0x7feb352d)
  const second = Math.imul(first ^ first >>> 15, 0x846ca68b)
  return second ^ second >>> 16
}

/**
 * The id of the run of an occurrence: a UUID of version 8 (RFC 9562), which begins with the
 * instant, so that it sorts among the ids of other runs by time.
 */
export const idOf = (name: string, at: number): RunId => {
  const [a, b, c] = hashOf(`${name} ${at}`)
  const time = hex(Math.max(0, at), 12)
  return `${time.slice(0, 8)}-${time.slice(8)}-8${hex(a >>> 20, 3)}-` +
    `${hex(0x8000 | b >>> 18, 4)}-${hex(a & 0xffff, 4)}${hex(c, 8)}`
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")
