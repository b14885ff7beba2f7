/**
 * What happened in a simulated run, in the order in which it happened.
 *
 * @since 0.1.0
 */

/** One thing that happened.
 * @category models
 * @since 0.1.0 */
export interface Event {
  readonly atMillis: number
  /** Who did it. */
  readonly host: string
  readonly what: string
  /** The tasks that it was done with. */
  readonly tasks: ReadonlyArray<string>
  /** How it was done. */
  readonly how: string
  readonly isFault: boolean
}

/** Collects events, and tells two traces apart by a short text.
 * @category models
 * @since 0.1.0 */
export class Trace {
  readonly events: Array<Event> = []

  add(
    atMillis: number,
    host: string,
    what: string,
    tasks: ReadonlyArray<string> = [],
    how = "",
  ): void {
    this.events.push({ atMillis, host, what, tasks, how, isFault: false })
  }

  fault(atMillis: number, host: string, what: string, tasks: ReadonlyArray<string> = []): void {
    this.events.push({ atMillis, host, what, tasks, how: "", isFault: true })
  }

  lines(): ReadonlyArray<string> {
    return this.events.map((event) => line(event))
  }

  /**
   * What a person has to read: all that was done with a task and every fault, at most so many
   * lines. Without a task it is the end of everything.
   */
  excerpt(task: string | undefined, most: number): ReadonlyArray<string> {
    if (task === undefined) return this.lines().slice(-most)
    const concerned = this.events.filter(({ isFault, tasks }) => isFault || tasks.includes(task))
    const lines = concerned.map((event) => line(event, task))
    if (lines.length <= most) return lines
    const left = lines.length - most + 1
    return [
      ...lines.slice(0, firstLines),
      `           … ${left} more lines are in the error's trace`,
      ...lines.slice(firstLines + left),
    ]
  }

  /** The first line at which another trace is not the same, in words. */
  differs(other: Trace): string | undefined {
    const size = Math.max(this.events.length, other.events.length)
    for (let at = 0; at < size; at++) {
      if (isSame(this.events[at], other.events[at])) continue
      const [one, two] = [this, other].map(({ events }) =>
        events[at] === undefined ? "nothing more" : line(events[at]!).trim()
      )
      if (one !== two) return `line ${at + 1} is "${one}" in the first and "${two}" in the second`
    }
    return undefined
  }

  /** A hash of all lines (FNV-1a, 32 bits twice with different bases). */
  hash(): string {
    let low = 0x811c9dc5
    let high = 0x9747b28c
    for (const event of this.events) {
      const text = line(event)
      for (let at = 0; at <= text.length; at++) {
        const code = at === text.length ? 10 : text.charCodeAt(at)
        low = Math.imul(low ^ code, 0x01000193)
        high = Math.imul(high ^ code, 0x01000193)
      }
    }
    return hex(high) + hex(low)
  }
}

/** Of what is too long, the beginning is worth this much. */
const firstLines = 10

const line = ({ atMillis, host, what, tasks, how }: Event, only?: string): string => {
  const others = tasks.length - 1
  const names = only !== undefined && others > 0 && tasks.includes(only)
    ? `${only} and ${others} more`
    : tasks.join(", ")
  const more = `${names === "" ? "" : ` ${names}`}${how === "" ? "" : ` ${how}`}`
  return `${(atMillis / 1000).toFixed(3).padStart(10)} s  ${host.padEnd(9)} ${what}${more}`
}

/** Whether two events have the same line, for sure. */
const isSame = (one: Event | undefined, two: Event | undefined): boolean =>
  one !== undefined && two !== undefined && one.atMillis === two.atMillis &&
  one.host === two.host && one.what === two.what && one.how === two.how &&
  one.tasks.length === two.tasks.length &&
  one.tasks.every((task, index) => task === two.tasks[index])

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0")
