/**
 * Cases of tasks that take their workers down.
 *
 * @since 0.1.0
 */
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed } from "./outcomes.ts"

/**
 * Stores tasks, of which the one at `index` has crashed once; answers them in the order of
 * claiming.
 */
const suspectAmong = function* (stage: Stage, before: number, after: number) {
  const suspect = yield* stage.insertOne()
  yield* stage.claimed({ id: suspect }, "lost")
  const first = yield* stage.insert(stage.newTasks(before))
  yield* stage.beat(stage.name("lost"), [], 0)
  yield* stage.recover()
  const rest = yield* stage.insert(stage.newTasks(after))
  return [...first, suspect, ...rest]
}

/** Claims from both queues, in their order or, with -1, in the other, and answers the ids. */
const claimBoth = function* (stage: Stage, worker: string, order: 1 | -1 = 1) {
  const queues = [stage.queue, stage.otherQueue]
  const { tasks } = yield* stage.driver.claim({
    worker,
    lanes: (order === 1 ? queues : queues.toReversed()).map((queue) => ({ queue, limit: 10 })),
    waits: false,
  })
  return tasks.map(({ id }) => id)
}

/** Cases of tasks that take their workers down.
 * @category cases
 * @since 0.1.0 */
export const crashCases: ReadonlyArray<Case> = [
  scene("A task that has crashed is claimed alone", function* (stage) {
    const [suspect, ...rest] = yield* suspectAmong(stage, 0, 3)
    const worker = yield* stage.worker()
    const alone = yield* stage.claim(worker, 10)
    equal(alone.map(({ id }) => id), [suspect!], "The first claim")
    equal((yield* stage.claim(worker, 10)).map(({ id }) => id), rest, "The second claim")
  }),

  scene("A task that has crashed is claimed alone among all queues of a claim", function* (stage) {
    const [suspect] = yield* suspectAmong(stage, 0, 0)
    yield* stage.insertOne({ queue: stage.otherQueue })
    equal(yield* claimBoth(stage, yield* stage.worker()), [suspect!], "The claim")
  }),

  scene("Those before a task that has crashed are claimed with other queues", function* (stage) {
    const [a, suspect, b] = yield* suspectAmong(stage, 1, 1)
    const other = yield* stage.insertOne({ queue: stage.otherQueue })
    const worker = yield* stage.worker()
    const claims = []
    for (let turn = 0; turn < 3; turn++) claims.push(yield* claimBoth(stage, worker))
    equal(claims, [[a!, other], [suspect!], [b!]], "The claims")
  }),

  scene("Of two queues that begin with a crashed task the first of the claim gives it", function* (
    stage,
  ) {
    const [suspect] = yield* suspectAmong(stage, 0, 0)
    const other = yield* stage.insertOne({ queue: stage.otherQueue })
    yield* stage.claim(yield* stage.worker("lost"), 1, stage.otherQueue)
    yield* stage.beat(stage.name("lost"), [], 0)
    yield* stage.recover()
    const worker = yield* stage.worker()
    equal(yield* claimBoth(stage, worker, -1), [other], "The first claim")
    equal(yield* claimBoth(stage, worker, -1), [suspect!], "The second claim")
  }),

  scene("Those before a task that has crashed are claimed without it", function* (stage) {
    const [a, b, suspect, c] = yield* suspectAmong(stage, 2, 1)
    const worker = yield* stage.worker()
    const claims = []
    for (let turn = 0; turn < 3; turn++) {
      claims.push((yield* stage.claim(worker, 10)).map(({ id }) => id))
    }
    equal(claims, [[a!, b!], [suspect!], [c!]], "The claims")
  }),

  scene("Two tasks that have crashed are claimed one by one", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(2))
    const lost = yield* stage.worker("lost")
    yield* stage.claim(lost, 2)
    yield* stage.beat(lost, [], 0)
    yield* stage.recover()
    const worker = yield* stage.worker()
    const claims = [yield* stage.claim(worker, 10), yield* stage.claim(worker, 10)]
    equal(claims.map((claim) => claim.length), [1, 1], "The sizes of the claims")
    equal(claims.flat().map(({ id }) => id).sort(), [...ids], "The claimed tasks")
  }),

  scene("A task that kills its worker each time is not retried for ever", function* (stage) {
    const id = yield* stage.insertOne({ maxCrashes: 3, maxAttempts: 100 })
    for (let crash = 0; crash < 4; crash++) yield* stage.crash(`lost${crash}`)
    const record = yield* stage.read(id)
    equal([record.state, record.crashes, record.failures], ["failed", 4, 0], "The task")
    equal(yield* stage.claim(yield* stage.worker(), 10), [], "What can be claimed")
  }),

  scene(
    "A task whose workers were lost too often does not hang: it failed, with the reason",
    function* (
      stage,
    ) {
      const id = yield* stage.insertOne({ maxCrashes: 1 })
      yield* stage.crash("a")
      yield* stage.crash("b")
      const { state, history } = yield* stage.read(id)
      equal(state, "failed", "The state")
      equal(
        history.map(({ kind, lease, failure }) => [kind, lease, failure?.reason]),
        [["crashed", 1, "Crashed"], ["crashed", 2, "Crashed"]],
        "The history",
      )
    },
  ),

  scene("A task that allows no crash runs at most once after a claim", function* (stage) {
    const id = yield* stage.insertOne({ maxCrashes: 0 })
    yield* stage.crash("lost")
    const record = yield* stage.read(id)
    equal([record.state, record.crashes], ["failed", 1], "The task")
  }),

  scene("Crashes and failures are counted apart", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 2, maxCrashes: 2 })
    const worker = yield* stage.worker()
    yield* stage.crash("x")
    yield* stage.attempt(worker, failed())
    yield* stage.crash("y")
    const record = yield* stage.read(id)
    equal([record.state, record.failures, record.crashes], ["ready", 1, 2], "The task")
    yield* stage.attempt(worker, completed())
    const { state, history } = yield* stage.read(id)
    equal(state, "completed", "The state")
    equal(
      history.map(({ kind, attempt }) => [kind, attempt]),
      [["crashed", 1], ["failed", 1], ["crashed", 2], ["completed", 2]],
      "The history",
    )
  }),

  scene("A task that has crashed stays alone after it failed", function* (stage) {
    const [suspect] = yield* suspectAmong(stage, 0, 0)
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, failed())
    yield* stage.insertOne()
    equal((yield* stage.claim(worker, 10)).map(({ id }) => id), [suspect!], "The claim")
  }),

  scene("After a retry by hand a task is claimed among others again", function* (stage) {
    const id = yield* stage.insertOne({ maxCrashes: 0 })
    yield* stage.crash("lost")
    yield* stage.retry(id)
    yield* stage.insertOne()
    equal((yield* stage.claim(yield* stage.worker(), 10)).length, 2, "The claimed tasks")
  }),
]
