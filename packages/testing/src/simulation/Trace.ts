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
}

/** Collects events, and tells two traces apart by a short text.
 * @category models
 * @since 0.1.0 */
export class Trace {
  readonly events: Array<Event> = []

  add(atMillis: number, host: string, what: string): void {
    this.events.push({ atMillis, host, what })
  }

  lines(last = Infinity): ReadonlyArray<string> {
    const from = Math.max(0, this.events.length - last)
    return this.events.slice(from).map(line)
  }

  /** The first line at which another trace is not the same, in words. */
  differs(other: Trace): string | undefined {
    const size = Math.max(this.events.length, other.events.length)
    for (let at = 0; at < size; at++) {
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

const line = ({ atMillis, host, what }: Event): string =>
  `${(atMillis / 1000).toFixed(3).padStart(10)} s  ${host.padEnd(9)} ${what}`

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0")
