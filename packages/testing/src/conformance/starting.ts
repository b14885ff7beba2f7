/**
 * Cases of what a change starts.
 *
 * @since 0.1.0
 */
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, settling } from "./fixtures.ts"
import { advanced, completed } from "./outcomes.ts"
import {
  claimRun,
  claimRuns,
  claimSteps,
  counted,
  countsOf,
  look,
  mapOf,
  planted,
  runOf,
  statesOf,
  stepOf,
  subRunOf,
  wakesOf,
} from "./trees.ts"

/** Cases of what a change starts.
 * @category cases
 * @since 0.1.0 */
export const startingCases: ReadonlyArray<Case> = [
  scene("What a change starts is stored if the change applies, and only then", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const held = yield* claimRun(stage)
    const stale = yield* stage.settle({ ...held, lease: 2 }, advanced(0, [stepOf(stage, run)]))
    equal([stale.status, yield* stage.readAll()], ["stale", []], "With another lease")
    const wanted = stepOf(stage, run, { input: `{"parcel":7}`, priority: 2 })
    equal((yield* stage.settle(held, advanced(0, [wanted]))).status, "applied", "The answer")
    const again = yield* stage.settle(held, advanced(0, [stepOf(stage, run, { index: 1 })]))
    equal([again.status, again.kind], ["already", "advanced"], "The answer to another change")
    const [found, ...others] = yield* claimSteps(stage)
    equal(others, [], "What else can be claimed")
    equal(
      [found!.id, found!.runId, found!.step, found!.branch?.parent, found!.lease],
      [wanted.id, run, "pack", run, 1],
      "The started task",
    )
    equal(yield* countsOf(stage, run), [counted("pack", 1)], "The counts")
  }),

  scene("A change whose reply was lost starts nothing twice", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const change = settling(yield* claimRun(stage), advanced(0, mapOf(stage, run, 3)))
    yield* stage.driver.settle([change])
    const [again] = yield* stage.driver.settle([change])
    equal([again!.status, again!.kind], ["already", "advanced"], "The second answer")
    equal((yield* stage.readAll()).length, 3, "The started tasks")
    equal(yield* countsOf(stage, run), [counted("pack", 3)], "The counts")
  }),

  scene("What a change starts and is there already is left alone", function* (stage) {
    const { run, tasks } = yield* planted(stage, { ended: { state: "completed", output: "1" } })
    const before = yield* look(stage, tasks[0]!)
    const starts = [stepOf(stage, run, { id: tasks[0]! }), stepOf(stage, run, { index: 1 })]
    const { status } = yield* stage.settle(yield* claimRun(stage), advanced(1, starts))
    equal(status, "applied", "The answer")
    equal(yield* look(stage, tasks[0]!), before, "What was there")
    equal(yield* countsOf(stage, run), [counted("pack", 2, { completed: 1 })], "The counts")
  }),

  scene("What a change starts as ended wakes nobody", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const starts = [
      stepOf(stage, run, { ended: { state: "completed", output: "[]" }, index: -1 }),
      stepOf(stage, run, { ended: { state: "skipped" }, step: "weigh" }),
    ]
    yield* stage.settle(yield* claimRun(stage), advanced(0, starts))
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
    equal(yield* countsOf(stage, run), [
      counted("pack", 1, { completed: 1 }),
      counted("weigh", 1, { skipped: 1 }),
    ], "The counts")
    equal((yield* stage.readAll()).map(({ index }) => index), [-1, 0], "The indexes")
  }),

  scene("A run that has not seen all wakes is ready beside what it starts", function* (stage) {
    const { run } = yield* planted(stage, { ended: { state: "completed" } })
    const held = yield* claimRun(stage)
    yield* stage.settle(held, advanced(0, [stepOf(stage, run, { step: "weigh" })]))
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    equal((yield* claimSteps(stage)).length, 1, "The started tasks")
  }),

  scene("A task that two changes of a batch start is stored once", function* (stage) {
    const runs = [yield* stage.insertOne(runOf(stage)), yield* stage.insertOne(runOf(stage))]
    const shared = stepOf(stage, runs[0]!)
    const held = yield* claimRuns(stage)
    const own = stepOf(stage, runs[1]!)
    const answers = yield* stage.driver.settle([
      settling(held[0]!, advanced(0, [shared])),
      settling(held[1]!, advanced(0, [shared, own])),
    ])
    equal(answers.map(({ status }) => status), ["applied", "applied"], "The answers")
    equal(yield* countsOf(stage, runs[0]!), [counted("pack", 1)], "The counts of the one")
    equal(yield* countsOf(stage, runs[1]!), [counted("pack", 1)], "The counts of the other")
  }),

  scene("Of a batch only the changes that apply start something", function* (stage) {
    const runs = [yield* stage.insertOne(runOf(stage)), yield* stage.insertOne(runOf(stage))]
    const [first, second] = yield* claimRuns(stage)
    yield* stage.settle(first!, advanced(0))
    const answers = yield* stage.driver.settle([
      settling(first!, advanced(0, [stepOf(stage, runs[0]!)])),
      settling(second!, advanced(0, [stepOf(stage, runs[1]!)])),
    ])
    equal(answers.map(({ status }) => status), ["already", "applied"], "The answers")
    const parents = (yield* stage.readAll()).map(({ branch }) => branch?.parent)
    equal(parents, [runs[1]], "The runs of what was started")
  }),

  scene("A task that is started with a delay is claimed in its time", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const starts = [stepOf(stage, run, { delayMillis: 5000 }), stepOf(stage, run, { index: 1 })]
    yield* stage.settle(yield* claimRun(stage), advanced(0, starts))
    equal((yield* claimSteps(stage)).map(({ index }) => index), [1], "What is claimed at once")
    yield* TestClock.adjust(4999)
    equal(yield* claimSteps(stage), [], "What is claimed early")
    yield* TestClock.adjust(1)
    equal((yield* claimSteps(stage)).map(({ index }) => index), [0], "What is claimed in time")
  }),

  scene("Tasks are started into queues and priorities of their own", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const slow = stepOf(stage, run, { priority: 9 })
    const inner = subRunOf(stage, run, { priority: 1 })
    const fast = stepOf(stage, run, { priority: 0, index: 1 })
    yield* stage.settle(yield* claimRun(stage), advanced(0, [slow, inner, fast]))
    equal((yield* claimSteps(stage)).map(({ id }) => id), [fast.id, slow.id], "Of the one queue")
    equal((yield* claimRuns(stage)).map(({ id }) => id), [inner.id], "Of the other queue")
  }),

  scene("A run that is started as waiting waits for its steps", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const inner = subRunOf(stage, run, { state: "waiting" })
    const starts = [inner, stepOf(stage, inner.id)]
    yield* stage.settle(yield* claimRun(stage), advanced(0, starts))
    equal(yield* claimRuns(stage), [], "The runs that can be claimed")
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal((yield* claimRuns(stage)).map(({ id }) => id), [inner.id], "The run that was woken")
  }),

  scene("A task that is started keeps its input and its trace", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const input = `{"a":"it's {NULL}, \\"漢字\\" $1","b":[null,0]}`
    yield* stage.settle(
      yield* claimRun(stage),
      advanced(0, [stepOf(stage, run, { input, trace, awaited: true, maxAttempts: 7 })]),
    )
    const [task] = yield* claimSteps(stage)
    equal(
      [JSON.parse(task!.input), task!.trace, task!.awaited, task!.maxAttempts],
      [JSON.parse(input), trace, true, 7],
      "The claimed task",
    )
  }),

  scene("1,000 tasks that one change starts are claimed by their index", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.settle(yield* claimRun(stage), advanced(0, mapOf(stage, run, 1000)))
    const claimed = yield* claimSteps(stage)
    equal(claimed.map(({ index }) => index), Array.from({ length: 1000 }, (_, at) => at), "Order")
    equal(yield* countsOf(stage, run), [counted("pack", 1000)], "The counts")
  }),

  scene("A change can start thousands of tasks", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.settle(yield* claimRun(stage), advanced(0, mapOf(stage, run, 3000)))
    equal(yield* countsOf(stage, run), [counted("pack", 3000)], "The counts")
    const first = (yield* claimSteps(stage, 5)).map(({ index }) => index)
    equal(first, [0, 1, 2, 3, 4], "The order of the claim")
  }),

  scene("Many runs go on in one batch", function* (stage) {
    yield* stage.insert(Array.from({ length: 100 }, () => runOf(stage)))
    const held = yield* claimRuns(stage)
    const answers = yield* stage.driver.settle(
      held.map((run) => settling(run, advanced(0, mapOf(stage, run.id, 3)))),
    )
    equal(answers.filter(({ status }) => status === "applied").length, 100, "The answers")
    const progress = yield* stage.driver.progress(held.map(({ id }) => id))
    equal(
      progress.map(({ steps }) => steps),
      held.map(() => [counted("pack", 3)]),
      "The counts",
    )
    const states = yield* statesOf(stage, held.map(({ id }) => id))
    equal([...new Set(states)], ["waiting"], "The states")
  }),

  scene("What a decision starts is stored with it", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* claimRun(stage)
    const [settled] = yield* stage.driver.transact(
      { _tag: "Tasks", ids: [run] },
      (tasks) => tasks.map((task) => settling(task, advanced(0, [stepOf(stage, run)]))),
    )
    equal([settled!.status, settled!.kind], ["applied", "advanced"], "The answer")
    equal((yield* claimSteps(stage)).length, 1, "The started tasks")
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
  }),
]
