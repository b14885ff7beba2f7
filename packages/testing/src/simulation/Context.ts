/**
 * What surrounds every fiber of a simulated host: time, chance, ids and order, all by the seed.
 *
 * @since 0.1.0
 */
import { RunId } from "@millrace/core"
import { Clock, Context, Metric, Random, References, Scheduler } from "effect"
import type { Seeded } from "../model/Seeded.ts"
import type { Host } from "./Turn.ts"
import type { World } from "./World.ts"

/** Makes the context of a host's fibers.
 * @category constructors
 * @since 0.1.0 */
export const contextOf = (world: World, host: Host, choices: Seeded): Context.Context<never> => {
  const bytes = (size: number) => {
    const drawn = new Uint8Array(size)
    for (let at = 0; at < size; at++) drawn[at] = choices.below(256)
    return drawn
  }
  return Context.empty().pipe(
    Context.add(Clock.Clock, world.clock(host)),
    Context.add(Scheduler.Scheduler, world.scheduler(host)),
    Context.add(Random.Random, {
      nextIntUnsafe: () => choices.below(2 ** 32) - 2 ** 31,
      nextDoubleUnsafe: () => choices.below(2 ** 32) / 2 ** 32,
    }),
    Context.add(RunId.RunIds, RunId.fromBytes(bytes)),
    Context.add(References.CurrentLoggers, new Set()),
    Context.add(Metric.MetricRegistry, new Map()),
  ) as Context.Context<never>
}
