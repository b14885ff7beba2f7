/**
 * Cases of heartbeats and sessions.
 *
 * @since 0.1.0
 */
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, leaseMillis, scene } from "./fixtures.ts"
import { completed, failed } from "./outcomes.ts"

/** Cases of heartbeats and sessions.
 * @category cases
 * @since 0.1.0 */
export const heartbeatCases: ReadonlyArray<Case> = [
  scene("A heartbeat extends the lease of everything the worker holds", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const worker = yield* stage.worker()
    const held = yield* stage.claim(worker, 3)
    yield* TestClock.adjust(leaseMillis - 1)
    equal(yield* stage.beat(worker, held), { live: true, lost: [] }, "The answer")
    yield* TestClock.adjust(leaseMillis - 1)
    equal(yield* stage.recover(), [], "Recovered before the new end")
    yield* TestClock.adjust(1)
    equal((yield* stage.recover()).length, 3, "Recovered at the new end")
  }),

  scene("A heartbeat never revives an expired lease", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.insertOne()
    const worker = stage.name("a")
    yield* TestClock.adjust(leaseMillis)
    equal(yield* stage.beat(worker, [task]), { live: false, lost: [task.id] }, "The answer")
    equal(yield* stage.claim(worker), [], "Claimed by the expired worker")
    equal((yield* stage.recover()).length, 1, "The recovered tasks")
  }),

  scene("A heartbeat names the held tasks that were cancelled or taken over", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const worker = yield* stage.worker()
    const [cancelled, taken, kept] = yield* stage.claim(worker, 3)
    yield* stage.cancel(cancelled!.id)
    yield* stage.settle(taken!, failed())
    yield* stage.claimOne(yield* stage.worker("b"))
    const pulse = yield* stage.beat(worker, [cancelled!, taken!, kept!])
    equal([pulse.live, [...pulse.lost].sort()], [true, [cancelled!.id, taken!.id]], "The answer")
  }),

  scene("A heartbeat is answered though the worker holds nothing", function* (stage) {
    const worker = yield* stage.worker()
    equal(yield* stage.beat(worker), { live: true, lost: [] }, "The answer")
  }),

  scene("A session begins with the first heartbeat", function* (stage) {
    yield* stage.insertOne()
    const worker = stage.name("new")
    equal(yield* stage.claim(worker), [], "Claimed before")
    equal(yield* stage.beat(worker), { live: true, lost: [] }, "The answer")
    equal((yield* stage.claim(worker)).length, 1, "Claimed afterwards")
  }),

  scene("A late heartbeat is told so each time, and nothing is extended", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(leaseMillis + 5)
    for (const lease of [leaseMillis, leaseMillis * 2, 0]) {
      const pulse = yield* stage.beat(stage.name("a"), [task], lease)
      equal(pulse, { live: false, lost: [task.id] }, `The answer for a lease of ${lease}`)
    }
    equal((yield* stage.recover()).length, 1, "The recovered tasks")
  }),

  scene("A late heartbeat is told so after the recovery too", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(leaseMillis)
    yield* stage.recover()
    const pulse = yield* stage.beat(stage.name("a"), [task])
    equal(pulse, { live: false, lost: [task.id] }, "The answer")
  }),

  scene("A late heartbeat is told so however many recoveries there were", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(leaseMillis)
    for (let round = 0; round < 3; round++) yield* stage.recover()
    const pulse = yield* stage.beat(stage.name("a"), [task])
    equal(pulse, { live: false, lost: [task.id] }, "The answer")
  }),

  scene("A heartbeat in the last millisecond of a lease is in time", function* (stage) {
    const worker = yield* stage.worker()
    yield* TestClock.adjust(leaseMillis - 1)
    equal((yield* stage.beat(worker)).live, true, "The answer")
  }),

  scene("The lease is that of the last heartbeat, also where it is shorter", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.beat(stage.name("a"), [task], 1000)
    yield* TestClock.adjust(1000)
    equal((yield* stage.recover()).length, 1, "The recovered tasks")
  }),

  scene("A lease may hold for an hour", function* (stage) {
    const hour = 60 * 60 * 1000
    yield* stage.insertOne()
    const worker = yield* stage.worker("a", hour)
    yield* stage.claimOne(worker)
    yield* TestClock.adjust(hour - 1)
    equal(yield* stage.recover(), [], "Recovered before the end")
    yield* TestClock.adjust(1)
    equal((yield* stage.recover()).length, 1, "Recovered at the end")
  }),

  scene("A heartbeat extends nobody else's lease", function* (stage) {
    const task = yield* stage.claimed({}, "a")
    const other = yield* stage.worker("b")
    yield* TestClock.adjust(leaseMillis - 1)
    yield* stage.beat(other, [task])
    yield* TestClock.adjust(1)
    equal((yield* stage.recover()).map(({ taskId }) => taskId), [task.id], "The recovered tasks")
  }),

  scene("A worker that claims to hold another's task is told that it does not", function* (stage) {
    const task = yield* stage.claimed({}, "a")
    const pulse = yield* stage.beat(yield* stage.worker("b"), [task])
    equal(pulse, { live: true, lost: [task.id] }, "The answer")
  }),

  scene("A heartbeat that names another's task takes nothing from its holder", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const [a, b] = [yield* stage.worker("a"), yield* stage.worker("b")]
    const [first, second, third] = yield* stage.claim(a, 3)
    yield* stage.beat(b, [second!])
    equal((yield* stage.settle(first!, completed())).status, "applied", "The first task")
    equal(yield* stage.beat(a, [second!, third!]), { live: true, lost: [] }, "What its holder lost")
    equal((yield* stage.settle(third!, completed())).status, "applied", "The third task")
    equal((yield* stage.settle(second!, completed())).status, "applied", "The second task")
  }),

  scene("What an ended session held stays given up, though its worker begins again", function* (
    stage,
  ) {
    const task = yield* stage.claimed()
    const worker = stage.name("a")
    yield* stage.beat(worker, [task], 0)
    yield* stage.beat(worker)
    const recovered = yield* stage.recover()
    equal(recovered.map(({ taskId }) => taskId), [task.id], "The recovered tasks")
  }),

  scene("Held tasks that ended, or that never were, are lost", function* (stage) {
    const done = yield* stage.claimed()
    yield* stage.settle(done, completed())
    const unknown = { ...done, id: stage.id(999) }
    const ready = { ...done, id: yield* stage.insertOne(), lease: 0 }
    const pulse = yield* stage.beat(stage.name("a"), [done, unknown, ready])
    equal([...pulse.lost].sort(), [done.id, ready.id, unknown.id].sort(), "The lost tasks")
  }),

  scene(
    "A task held with an older lease is lost, though the worker holds it anew",
    function* (stage) {
      const old = yield* stage.claimed()
      yield* stage.settle(old, failed())
      const held = yield* stage.claimOne(stage.name("a"))
      equal((yield* stage.beat(stage.name("a"), [held])).lost, [], "With the new lease")
      equal((yield* stage.beat(stage.name("a"), [old])).lost, [old.id], "With the old lease")
    },
  ),

  scene(
    "Of a task that is held under two leases a heartbeat names the lease that is lost",
    function* (stage) {
      const old = yield* stage.claimed()
      yield* stage.settle(old, failed())
      const worker = stage.name("a")
      const anew = yield* stage.claimOne(worker)
      const held = [anew, old, anew].map(({ id, lease }) => ({ id, lease }))
      const pulse = yield* stage.driver.heartbeat({ worker, leaseMillis: 1000, held })
      equal(pulse, { live: true, lost: [held[1]!] }, "The answer")
      const ended = yield* stage.settle(anew, completed())
      equal(ended.status, "applied", "The end of the attempt that holds it")
    },
  ),

  scene("A heartbeat loses nothing that it does not name", function* (stage) {
    yield* stage.insert(stage.newTasks(2))
    const worker = yield* stage.worker()
    const [a, b] = yield* stage.claim(worker, 2)
    yield* stage.beat(worker, [a!])
    equal(yield* stage.recover(), [], "The recovered tasks")
    equal((yield* stage.settle(b!, completed())).status, "applied", "The answer")
  }),

  scene("A worker may begin again under its name after it ended its session", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.beat(worker, [], 0)
    yield* stage.insertOne()
    equal((yield* stage.beat(worker)).live, true, "The answer")
    equal((yield* stage.claim(worker)).length, 1, "The claimed tasks")
  }),

  scene("Ending a session that never began is no error", function* (stage) {
    equal(yield* stage.beat(stage.name("stranger"), [], 0), { live: true, lost: [] }, "The answer")
    equal(yield* stage.claim(stage.name("stranger")), [], "The claimed tasks")
  }),

  scene("A heartbeat with 1,000 held tasks names the lost ones", function* (stage) {
    yield* stage.insert(stage.newTasks(1000))
    const worker = yield* stage.worker()
    const held = yield* stage.claim(worker, 1000)
    const gone = [held[3]!.id, held[500]!.id, held[999]!.id]
    yield* stage.cancel(...gone)
    equal([...(yield* stage.beat(worker, held)).lost].sort(), gone, "The lost tasks")
  }),
]
