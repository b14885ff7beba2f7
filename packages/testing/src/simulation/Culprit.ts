/**
 * Whose code is running: what a report of the real world in a simulation names.
 *
 * @since 0.1.0
 */
import { AttemptContext } from "@millrace/core"
import { Context, Fiber } from "effect"
import type { World } from "./World.ts"

/**
 * Tells who runs: a job by its handler's fiber, the load, or whatever else a host does.
 *
 * **Details**
 *
 * A fiber of a runtime of its own, such as one of `Effect.runPromise`, counts as whoever began it.
 *
 * @category running
 * @since 0.1.0
 */
export const culpritOf = (world: World): string => {
  const job = attemptOf(world)
  if (job !== undefined) return `Job "${job.flow}"`
  const host = world.running?.name ?? "client"
  return host === "client" ? "The load" : `A schema or a backoff of the jobs, on ${host},`
}

/** The attempt whose handler runs, or ran last in this step.
 * @category running
 * @since 0.1.0 */
export const attemptOf = (world: World): AttemptContext["Service"] | undefined => {
  const current = Fiber.getCurrent()
  const context = current !== undefined && world.owns(current) ? current.context : world.lastContext
  if (context === undefined) return undefined
  return Context.getOrUndefined(context as Context.Context<AttemptContext>, AttemptContext)
}
