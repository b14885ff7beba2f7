/**
 * Cases of the storage of schedules, for drivers that have it.
 *
 * @since 0.1.0
 */
import { type Driver, ScheduleStore, Transaction } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { scene, type Stage } from "./fixtures.ts"
import { heard, ready, waits } from "./wakeup.ts"

type Needs = Driver.Driver | ScheduleStore.ScheduleStore | Transaction.Transactions
type Store = ScheduleStore.ScheduleStore["Service"]

/**
 * One guarantee of the storage of schedules as data.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleCase {
  /** A sentence. */
  readonly name: string
  readonly run: Effect.Effect<void, unknown, Needs>
}

/** Removes all schedules of a store.
 * @category combinators
 * @since 0.1.0 */
export const unscheduled = Effect.fnUntraced(function* (store: Store) {
  const { rows } = yield* store.find({ limit: 1000 })
  for (const { name, revision } of rows) {
    yield* store.write({ name, expects: revision, row: undefined, tasks: [] })
  }
})

/** Makes a case: the store holds no schedules when it begins.
 * @category constructors
 * @since 0.1.0 */
export const scheduled = (
  name: string,
  body: (
    stage: Stage,
    store: Store,
  ) => Generator<Effect.Effect<unknown, unknown, Needs>, void, never>,
): ScheduleCase => ({
  name,
  run: Effect.gen(function* () {
    const context = yield* Effect.context<Needs>()
    const store = yield* ScheduleStore.ScheduleStore
    yield* unscheduled(store)
    const { run } = scene(
      name,
      (stage) =>
        body(stage, store) as Generator<
          Effect.Effect<unknown, unknown, Driver.Driver>,
          void,
          never
        >,
    )
    yield* Effect.provide(run, context)
  }),
})

/** A schedule, as it is stored.
 * @category constructors
 * @since 0.1.0 */
export const row = (name: string, more: Partial<ScheduleStore.Row> = {}): ScheduleStore.Row => ({
  name,
  flow: "send_email",
  revision: 1,
  nextAt: 5000,
  body: `{"a":1}`,
  ...more,
})

/** Makes a schedule that is not there, with tasks.
 * @category constructors
 * @since 0.1.0 */
export const make = (
  store: Store,
  made: ScheduleStore.Row,
  tasks: ReadonlyArray<Driver.NewTask> = [],
) => store.write({ name: made.name, expects: undefined, row: made, tasks })

const names = (found: ScheduleStore.Found) => found.rows.map(({ name }) => name)

const readingCases: ReadonlyArray<ScheduleCase> = [
  scheduled("Schedules are listed by name, page by page", function* (_, store) {
    for (const name of ["c", "a", "b", "d"]) yield* make(store, row(name))
    equal(names(yield* store.find({ limit: 3 })), ["a", "b", "c"], "The first page")
    equal(names(yield* store.find({ after: "c", limit: 3 })), ["d"], "The second page")
  }),

  scheduled("Schedules are found by name and by job", function* (_, store) {
    yield* make(store, row("a"))
    yield* make(store, row("b", { flow: "other" }))
    yield* make(store, row('c, "d"'))
    equal(
      names(yield* store.find({ names: ["b", `c, "d"`, "z"], limit: 9 })),
      ["b", `c, "d"`],
      "By name",
    )
    equal(names(yield* store.find({ flow: "other", limit: 9 })), ["b"], "By job")
    equal(names(yield* store.find({ names: ["a"], flow: "other", limit: 9 })), [], "By both")
  }),

  scheduled("Schedules are read with the time of the driver", function* (_, store) {
    yield* TestClock.adjust(1234)
    equal((yield* store.find({ limit: 1 })).now, 1234, "With none")
    yield* make(store, row("a"))
    equal((yield* store.find({ limit: 1 })).now, 1234, "With one")
    equal((yield* store.due(1)).now, 1234, "With none that is due")
  }),

  scheduled("A schedule is read as it was written", function* (_, store) {
    const written = row("a", { revision: 1_800_000_000_123, nextAt: 253_402_300_799_999 })
    yield* make(store, written)
    equal((yield* store.find({ limit: 1 })).rows, [written], "The row")
    const never = row("b", { nextAt: undefined, body: `{"text":"ü \\"\\\\ 🎉"}` })
    yield* make(store, never)
    equal((yield* store.find({ names: ["b"], limit: 1 })).rows, [never], "One without an instant")
  }),

  scheduled("A schedule is due from its instant on, and not before", function* (_, store) {
    yield* make(store, row("a", { nextAt: 5000 }))
    yield* TestClock.adjust(4999)
    equal(names(yield* store.due(9)), [], "One millisecond early")
    yield* TestClock.adjust(1)
    equal(names(yield* store.due(9)), ["a"], "In time")
  }),

  scheduled("Schedules that are due for longest are read first", function* (_, store) {
    for (const [name, nextAt] of [["a", 3000], ["b", 1000], ["c", 2000]] as const) {
      yield* make(store, row(name, { nextAt }))
    }
    yield* TestClock.adjust(5000)
    equal(names(yield* store.due(2)), ["b", "c"], "The first two")
  }),

  scheduled("Who asks for due schedules is told when the next one is", function* (_, store) {
    equal((yield* store.due(9)).nextDueMillis, undefined, "With none")
    yield* make(store, row("a", { nextAt: 5000 }))
    yield* make(store, row("b", { nextAt: 1000 }))
    equal((yield* store.due(9)).nextDueMillis, 1000, "At first")
    yield* TestClock.adjust(1000)
    equal((yield* store.due(9)).nextDueMillis, 4000, "With one that is due")
  }),

  scheduled("A schedule without an instant is never due", function* (_, store) {
    yield* make(store, row("a", { nextAt: undefined }))
    yield* TestClock.adjust(1_000_000)
    const due = yield* store.due(9)
    equal([names(due), due.nextDueMillis], [[], undefined], "What is due")
  }),
]

const writingCases: ReadonlyArray<ScheduleCase> = [
  scheduled(
    "A schedule is written where it stands as it was read, and else nothing changes",
    function* (stage, store) {
      yield* make(store, row("a"))
      const next = row("a", { revision: 2, nextAt: 9000, body: "2", flow: "other" })
      const write = { name: "a", expects: 1, row: next, tasks: [stage.newTask()] }
      equal(yield* store.write(write), true, "As it was read")
      const again = { ...write, row: row("a", { revision: 3 }), tasks: [stage.newTask()] }
      equal(yield* store.write(again), false, "As it was read before")
      equal((yield* store.find({ limit: 9 })).rows, [next], "The row")
      equal((yield* stage.readAll()).length, 1, "The stored tasks")
    },
  ),

  scheduled("Tasks are stored with the schedule, or not at all", function* (stage, store) {
    yield* make(store, row("a"), stage.newTasks(2))
    equal((yield* stage.readAll()).length, 2, "Those of one that is made")
    const gone = { name: "a", expects: 1, row: undefined, tasks: stage.newTasks(1) }
    yield* store.write(gone)
    equal((yield* stage.readAll()).length, 3, "Those of one that is removed")
    equal(yield* store.write({ ...gone, tasks: stage.newTasks(1) }), false, "Again")
    equal((yield* stage.readAll()).length, 3, "Those of one that was not there")
  }),

  scheduled("What a schedule stores is due when it says", function* (stage, store) {
    yield* make(store, row("a"))
    yield* TestClock.adjust(5000)
    const tasks = [
      stage.newTask({ dueAt: 4000 }),
      stage.newTask({ dueAt: 8000 }),
      stage.newTask({ priority: 1, input: `"two"`, flow: "other", step: "run" }),
    ]
    yield* store.write({ name: "a", expects: 1, row: row("a", { revision: 2 }), tasks })
    const found = yield* stage.readAll()
    equal(found.map(({ dueAt }) => dueAt), [undefined, 8000, undefined], "When they are due")
    equal([found[2]!.priority, found[2]!.input, found[2]!.flow], [1, `"two"`, "other"], "The third")
    equal((yield* stage.claim(yield* stage.worker(), 9)).length, 2, "What can be claimed")
  }),

  scheduled("A task of a schedule whose id exists is left as it is", function* (stage, store) {
    const id = yield* stage.insertOne({ input: "1" })
    yield* make(store, row("a"))
    const tasks = [stage.newTask({ id, input: "2" }), stage.newTask({ input: "3" })]
    const write = { name: "a", expects: 1, row: row("a", { revision: 2 }), tasks }
    equal(yield* store.write(write), true, "The answer")
    equal((yield* stage.readAll()).map(({ input }) => input), ["1", "3"], "The inputs")
    const only = { ...write, expects: 2, row: row("a", { revision: 3 }), tasks: [tasks[0]!] }
    equal(yield* store.write(only), true, "With nothing to store")
    equal((yield* store.find({ limit: 9 })).rows[0]?.revision, 3, "The revision")
  }),

  scheduled("A schedule that exists is not made again", function* (stage, store) {
    equal(yield* make(store, row("a")), true, "The first one")
    equal(yield* make(store, row("a", { body: "2" }), stage.newTasks(1)), false, "The second one")
    equal((yield* store.find({ limit: 9 })).rows, [row("a")], "The row")
    equal(yield* stage.readAll(), [], "The tasks of the second one")
  }),

  scheduled("A schedule that is removed is gone", function* (_, store) {
    yield* make(store, row("a"))
    const remove = { name: "a", row: undefined, tasks: [] }
    equal(yield* store.write({ ...remove, expects: 2 }), false, "With another revision")
    equal(yield* store.write({ ...remove, expects: 1 }), true, "As it stands")
    equal(yield* store.write({ ...remove, expects: 1 }), false, "Again")
    equal((yield* store.find({ limit: 9 })).rows, [], "What is left")
    equal(yield* make(store, row("a")), true, "Made anew")
  }),

  scheduled("A task with a key comes to terms with the one that has it", function* (stage, store) {
    const unique = { key: "k", states: ["ready", "running"], onClash: "ignore" } as const
    const first = yield* stage.insertOne({ unique })
    yield* make(store, row("a"))
    const tasks = [stage.newTask({ unique }), stage.newTask()]
    yield* store.write({ name: "a", expects: 1, row: row("a", { revision: 2 }), tasks })
    equal((yield* stage.readAll()).map(({ id }) => id), [first, tasks[1]!.id], "With the key taken")
    yield* stage.cancel(first)
    const again = [stage.newTask({ unique })]
    yield* store.write({ name: "a", expects: 2, row: row("a", { revision: 3 }), tasks: again })
    equal((yield* stage.readAll()).length, 3, "With the key free")
  }),

  scheduled("What a schedule stores wakes a worker that waits", function* (stage, store) {
    const worker = yield* stage.worker()
    let revision = 1
    yield* make(store, row("a"))
    yield* heard(
      stage,
      Effect.gen(function* () {
        yield* waits(stage, worker)
        const next = row("a", { revision: revision + 1 })
        yield* store.write({ name: "a", expects: revision, row: next, tasks: stage.newTasks(1) })
        revision++
        return ready(stage.queue)
      }),
    )
  }),

  scheduled("What a schedule stores is never refused for a full queue", function* (stage, store) {
    yield* stage.driver.limit(stage.queue, { maxDepth: 1 })
    yield* stage.insertOne()
    equal((yield* stage.driver.insert([stage.newTask()]))[0]?.full, stage.queue, "By hand")
    yield* make(store, row("a"), stage.newTasks(2))
    yield* store.write({
      ...{ name: "a", expects: 1, row: row("a", { revision: 2 }) },
      tasks: [stage.newTask(), stage.newTask({ group: "g" })],
    })
    equal((yield* stage.readAll()).length, 5, "The stored tasks")
    yield* stage.driver.limit(stage.queue, null)
  }),

  scheduled("A schedule that is made in a transaction is gone when that is rolled back", function* (
    stage,
    store,
  ) {
    const whole = Effect.andThen(make(store, row("a"), stage.newTasks(1)), Effect.fail("no"))
    equal(yield* Effect.flip(Transaction.run(whole)), "no", "The error")
    equal((yield* store.find({ limit: 9 })).rows, [], "The schedules")
    equal(yield* stage.readAll(), [], "The tasks")
    yield* Transaction.run(make(store, row("a"), stage.newTasks(1)))
    equal(names(yield* store.find({ limit: 9 })), ["a"], "Committed")
    equal((yield* stage.readAll()).length, 1, "Its tasks")
  }),
]

/** Cases of the storage of schedules.
 * @category cases
 * @since 0.1.0 */
export const storingScheduleCases: ReadonlyArray<ScheduleCase> = [...readingCases, ...writingCases]
