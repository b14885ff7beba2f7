/** What a worker asks of the storage while there is nothing to do. */
import { Driver, Job, ScheduleStore, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assert, assertEquals } from "@std/assert"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"

const Note = Job.make("note")
const minutes = 10

/** The memory driver, with the statements counted by name. */
const counted = (counts: Map<string, number>) => {
  const count = <A extends object>(service: A): A =>
    new Proxy(service, {
      get: (target, name) => {
        const member = Reflect.get(target, name)
        if (typeof member !== "function") return member
        return (...args: ReadonlyArray<unknown>) => {
          counts.set(String(name), (counts.get(String(name)) ?? 0) + 1)
          return Reflect.apply(member, target, args)
        }
      },
    })
  return Layer.effectContext(
    Effect.map(
      MemoryDriver.open,
      ({ driver, schedules }) =>
        Context.make(Driver.Driver, count(driver)).pipe(
          Context.add(ScheduleStore.ScheduleStore, count(schedules)),
        ),
    ),
  )
}

describe("an idle worker", () => {
  it("asks the storage less than once a second, and looks for everything", async () => {
    const counts = new Map<string, number>()
    let seen: Record<string, number> = {}
    const live = Worker.layer({ jobs: [Note.perform(() => Effect.void)] }).pipe(
      Layer.provide(counted(counts)),
      Layer.provideMerge(TestClock.layer()),
    )
    await Effect.runPromise(
      Effect.gen(function* () {
        yield* TestClock.adjust(20_000)
        counts.clear()
        yield* TestClock.adjust(minutes * 60_000)
        seen = Object.fromEntries(counts)
      }).pipe(Effect.provide(live)),
    )
    const all = Object.values(seen).reduce((sum, one) => sum + one, 0)
    assert(all < minutes * 60, `${all} statements in ${minutes} minutes`)
    // Polls, heartbeats with two looks for what others lost, and looks for schedules.
    assertEquals(seen, {
      claim: minutes * 30,
      heartbeat: minutes * 6,
      transact: minutes * 12,
      due: minutes * 6,
    })
  })
})
