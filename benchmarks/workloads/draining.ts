/** One drain: jobs that wait are run until none is left, and counted. */
import type { Runtime } from "../harness/agent-process.ts"
import type { Bench, Place } from "../harness/bench.ts"
import type { Drained } from "../harness/orders.ts"
import type { Sample } from "../model.ts"
import { slow } from "../contestants/registry.ts"

export interface DrainOptions {
  readonly contestant: string
  readonly count: number
  readonly traced?: boolean
  readonly analyzed?: boolean
  readonly runtime?: Runtime
  /** A place to start with a copy of, and how many jobs of it stay where they are. */
  readonly copyOf?: Place
  readonly others?: number
  /** Runs beside the drain; answers what ends it. */
  readonly beside?: (place: Place) => Promise<() => Promise<void>>
}

/** How many jobs a contestant is given: those that need a second for some hundreds get fewer. */
export const shareOf = (contestant: string, count: number): number =>
  slow.includes(contestant) ? Math.ceil(count / 100) : count

export const drain = (bench: Bench, options: DrainOptions): Promise<Sample & Drained> => {
  const { contestant, count, analyzed = true, copyOf, others = 0 } = options
  return bench.within({
    contestant,
    neverAnalyzed: !analyzed,
    ...(copyOf === undefined ? {} : { copyOf }),
  }, async (place) => {
    await fillDue(bench, place, count, others)
    if (analyzed) await bench.server.query(place.url, "analyze")
    const end = await options.beside?.(place)
    try {
      return await drainOnce(bench, place, options)
    } finally {
      await end?.()
    }
  })
}

const fillDue = async (bench: Bench, place: Place, count: number, others: number) => {
  if (others === 0) return await bench.fill(place, count)
  await bench.agent(place, (agent) => agent.tell("enqueue", { mode: "many", count, callers: 2 }))
  await bench.check(place, { waiting: count + others })
}

const drainOnce = async (bench: Bench, place: Place, options: DrainOptions) => {
  const { count, traced = false, runtime, others = 0 } = options
  const sample = await bench.agent(
    place,
    (agent) => bench.measure(count, () => agent.tell("drain", { count, traced })),
    runtime,
  )
  checkRuns(place.contestant, count, sample)
  await bench.check(place, { waiting: others, history: count })
  return sample
}

/** Fails where a job did not run, or ran twice though nothing went wrong. */
export const checkRuns = (
  contestant: string,
  count: number,
  { ran, repeated }: { readonly ran: number; readonly repeated: number },
): void => {
  if (ran === count && repeated === 0) return
  throw new Error(`${contestant}: of ${count} jobs ${ran} ran, and ${repeated} ran again`)
}
