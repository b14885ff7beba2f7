/** Writes what a soak came to, in Markdown. */
import type { Findings } from "./Audit.ts"
import type { Monkey } from "./Monkey.ts"

export interface Facts extends Findings {
  readonly minutes: number
  readonly seed: number
  readonly workers: number
  readonly leaseMillis: number
  readonly counts: Monkey["counts"]
  readonly starts: { readonly bun: number; readonly deno: number }
  readonly drainMillis: number
}

export const render = (facts: Facts): string => {
  const { counts, states, entries, starts, recoveries, excluded, leaseMillis } = facts
  const sum = Object.values(states).reduce((all, one) => all + one, 0)
  const at = (share: number) =>
    recoveries[Math.min(recoveries.length - 1, Math.floor(recoveries.length * share))]
  const millis = (value: number | undefined) =>
    value === undefined ? "none" : `${Math.round(value)} ms`
  return [
    `Soak of ${facts.minutes} minutes with seed ${facts.seed}, ${facts.workers} worker processes ` +
    `at a time (${starts.bun} started on Bun, ${starts.deno} on Deno), leases of ${leaseMillis} ms`,
    "",
    "| What | How many |",
    "|---|---|",
    `| workers killed | ${counts.kill} |`,
    `| workers paused beyond their lease | ${counts.pause} |`,
    `| times that back-ends were terminated | ${counts.terminate} |`,
    `| times that no connection was left | ${counts.exhaust} |`,
    `| restarts of the server | ${counts.restart} |`,
    `| crashes of the server | ${counts.crash} |`,
    `| runs stored | ${sum} |`,
    ...Object.entries(states).map(([state, count]) => `| runs ${state} | ${count} |`),
    ...Object.entries(entries).map(([kind, count]) => `| attempts: ${kind} | ${count} |`),
    `| tasks recovered from lost workers | ${recoveries.length} (and ${excluded} while the server was away, or of sessions that ended otherwise) |`,
    `| recovery, median / 99 % / longest | ${millis(at(0.5))} / ${millis(at(0.99))} / ${
      millis(recoveries.at(-1))
    } |`,
    `| time to drain afterwards | ${millis(facts.drainMillis)} |`,
    "",
    facts.wrong.length === 0
      ? "Nothing was lost, and nothing was doubled."
      : ["**Wrong:**", ...facts.wrong.map((what) => `- ${what}`)].join("\n"),
    "",
  ].join("\n")
}
