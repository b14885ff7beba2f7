/**
 * Cases of what schedules store beyond plain tasks: runs of flows, and what expires.
 *
 * @since 0.1.0
 */
import { equal } from "./expect.ts"
import { make, row, type ScheduleCase, scheduled } from "./schedules.ts"

/** Cases of the tasks of schedules.
 * @category cases
 * @since 0.1.0 */
export const flowScheduleCases: ReadonlyArray<ScheduleCase> = [
  scheduled(
    "The run of a flow is stored with the schedule as it is given, with all tasks of its start",
    function* (stage, store) {
      yield* make(store, row("a"))
      const flow = { flowType: "flow", flow: "order", version: "v7" } as const
      const run = stage.newTask({ ...flow, state: "waiting", undoes: true, tags: ["nightly"] })
      const step = { ...flow, runId: run.id, parent: run.id, step: "pack" }
      const tasks = [run, ...stage.newTasks(2, step)]
      const write = { name: "a", expects: 1, row: row("a", { revision: 2 }), tasks }
      equal(yield* store.write({ ...write, expects: 7 }), false, "Where it stands otherwise")
      equal(yield* stage.readAll(), [], "What is stored then")
      equal(yield* store.write(write), true, "Where it stands so")
      const found = yield* stage.readAll()
      equal(found.map(({ state }) => state), ["waiting", "ready", "ready"], "Where they stand")
      equal(
        [found[0]!.flowType, found[0]!.version, found[0]!.undoes, found[0]!.tags],
        ["flow", "v7", true, ["nightly"]],
        "The run",
      )
      equal(found.slice(1).map(({ branch }) => branch?.parent), [run.id, run.id], "Its steps")
      const [progress] = yield* stage.driver.progress([run.id])
      equal(progress!.steps.map((one) => one.tasks), [2], "How many tasks it has")
    },
  ),

  scheduled("A task of a schedule expires as it says", function* (stage, store) {
    yield* make(store, row("a"))
    const task = stage.newTask({ dueAt: 1000, expiresMillis: 500 })
    yield* store.write({ name: "a", expects: 1, row: row("a", { revision: 2 }), tasks: [task] })
    equal((yield* stage.read(task.id)).expiresAt, 1500, "Until")
  }),
]
