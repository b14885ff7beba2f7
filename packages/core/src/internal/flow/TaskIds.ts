/**
 * The ids of the tasks of a run: each follows from the run, the step and the index, so that storing
 * one again changes nothing.
 */
import type { TaskId } from "../../Task.ts"

/**
 * The id of a task of a step: a UUID of version 8 (RFC 9562) that begins with the time of its run's
 * id, and goes on with a hash.
 */
export const derive = (runId: TaskId, step: string, index: number): TaskId => {
  const [a, b, c] = hash(`${runId}/${step}/${index}`)
  const time = runId.slice(0, 13)
  const random = (a! >>> 20).toString(16).padStart(3, "0")
  const variant = (0x8000 | (a! & 0x3fff)).toString(16)
  const node = hex(b!) + hex(c!).slice(0, 4)
  return `${time}-8${random}-${variant}-${node}`
}

const hex = (word: number) => word.toString(16).padStart(8, "0")

// Three lanes of 32 bits, multiplied by large odd numbers, and each mixed into the others at the
// end as MurmurHash3 finishes.
const hash = (text: string): ReadonlyArray<number> => {
  let a = 0x9e3779b9
  let b = 0x7f4a7c15
  let c = 0x94d049bb
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = Math.imul(a ^ unit, 0x85ebca6b)
    b = Math.imul(b ^ unit ^ (a >>> 13), 0xc2b2ae35)
    c = Math.imul(c ^ unit ^ (b >>> 16), 0x27d4eb2f)
  }
  a = finish(a ^ c)
  b = finish(b ^ a)
  c = finish(c ^ b)
  return [a, b, c]
}

// https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp (fmix32)
const finish = (word: number): number => {
  const mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  const again = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (again ^ (again >>> 16)) >>> 0
}
