import { assert, assertEquals, assertThrows } from "@std/assert"
import { Job, Misfire, type Recurrence, RunId, Scheduling, Timetable } from "@millrace/core"
import { Schema } from "effect"
import { describe, it } from "node:test"

const minute = 60_000
const hour = 60 * minute

const hourly: Recurrence.Recurrence = { _tag: "Every", everyMillis: hour, offsetMillis: 0 }

const draft = (more: Partial<Scheduling.Draft> = {}): Scheduling.Draft => ({
  defined: false,
  recurrence: hourly,
  misfire: { count: 1, withinMillis: undefined },
  jitterMillis: 0,
  template: {
    flowType: "job",
    flow: "report",
    step: "report",
    index: 0,
    queue: "report",
    priority: 5,
    input: "{}",
    maxAttempts: 1,
    maxCrashes: 3,
    delayMillis: 0,
  },
  ...more,
})

const made = (more: Partial<Scheduling.Draft> = {}, now = 0) =>
  Scheduling.upserted(undefined, "a", draft(more), now)!

const firedAt = (schedule: Scheduling.Schedule, now: number) => {
  const fired = Scheduling.fired(schedule, now)
  return [fired?.tasks.map(({ dueAt }) => dueAt), fired?.schedule.nextAt] as const
}

describe("what a misfire makes of occurrences", () => {
  const table: ReadonlyArray<
    readonly [name: string, policy: Misfire.Policy, now: number, wanted: ReadonlyArray<number>]
  > = [
    ["nothing is due", { count: 9, withinMillis: undefined }, hour - 1, []],
    ["one is on time", { count: 0, withinMillis: undefined }, hour, [hour]],
    ["one is just on time", { count: 0, withinMillis: undefined }, hour + minute - 1, [hour]],
    ["one was just missed", { count: 0, withinMillis: undefined }, hour + minute, []],
    ["the latest", { count: 1, withinMillis: undefined }, 5 * hour + minute, [5 * hour]],
    ["the latest is on time", { count: 1, withinMillis: undefined }, 5 * hour, [5 * hour]],
    ["two", { count: 2, withinMillis: undefined }, 5 * hour + minute, [4 * hour, 5 * hour]],
    ["two, one of them on time", { count: 2, withinMillis: undefined }, 5 * hour, [
      4 * hour,
      5 * hour,
    ]],
    ["all that there are", { count: 900, withinMillis: undefined }, 3 * hour + minute, [
      hour,
      2 * hour,
      3 * hour,
    ]],
    ["those within a window", { count: 900, withinMillis: 90 * minute }, 3.5 * hour, [
      3 * hour,
    ]],
    ["none within a window", { count: 900, withinMillis: 2 * minute }, 3.5 * hour, []],
    ["a clock that went back", { count: 9, withinMillis: undefined }, -1, []],
  ]
  for (const [name, policy, now, wanted] of table) {
    it(name, () => assertEquals(Misfire.due(hourly, policy, 0, now), wanted))
  }
})

describe("the rules of schedules", () => {
  it("fire at the instant and not before, and go on", () => {
    assertEquals(Scheduling.fired(made(), hour - 1), undefined)
    assertEquals(firedAt(made(), hour), [[hour], 2 * hour])
    assertEquals(firedAt(made(), 5.5 * hour), [[5 * hour], 6 * hour])
  })

  it("give each occurrence of each schedule an id of its own, and always the same", () => {
    const ids = new Set<string>()
    for (let name = 0; name < 100; name++) {
      for (let at = 1; at <= 100; at++) {
        const { id } = Scheduling.taskOf({ ...made(), name: `schedule ${name}` }, at * 1000)
        assert(RunId.isRunId(id), id)
        ids.add(id)
      }
    }
    assertEquals(ids.size, 10_000)
    assertEquals(Scheduling.taskOf(made(), hour).id, Scheduling.taskOf(made(), hour).id)
  })

  it("spread a jitter evenly over its bounds", () => {
    const schedule = made({ jitterMillis: 99 })
    const late = Array.from({ length: 10_000 }, (_, index) => {
      const at = index * 1000
      return Scheduling.taskOf(schedule, at).dueAt! - at
    })
    assertEquals([Math.min(...late), Math.max(...late)], [0, 99])
    const mean = late.reduce((sum, by) => sum + by, 0) / late.length
    assert(Math.abs(mean - 49.5) < 2, `the mean is ${mean}`)
  })

  it("change nothing where a schedule is as it should be", () => {
    const before = made()
    assertEquals(Scheduling.upserted(before, "a", draft(), 5), undefined)
    assertEquals(Scheduling.paused(before, false, 5), undefined)
  })

  it("give each write another revision, whatever the clock does", () => {
    const before = made({}, 1000)
    const after = Scheduling.upserted(before, "a", draft({ jitterMillis: 1 }), 10)!
    assert(after.revision > before.revision)
    assert(Scheduling.paused(after, true, 10)!.revision > after.revision)
  })

  it("keep a schedule as it is stored and read", () => {
    const schedule = made({ misfire: { count: 3, withinMillis: 5 } })
    assertEquals(Scheduling.ofRow(Scheduling.toRow(schedule)), schedule)
  })
})

describe("a job with a schedule", () => {
  it("has it in its definition", () => {
    const job = Job.make("nightly", {
      input: Schema.String,
      schedule: { cron: "0 2 * * *", timeZone: "Europe/Berlin", input: "all" },
    })
    assertEquals(job.schedule?.template.input, `"all"`)
    assertEquals(Job.make("plain").schedule, undefined)
  })

  const refused: ReadonlyArray<readonly [unknown, string]> = [
    [{ cron: "0 0 31 2 *" }, `cron "0 0 31 2 *" cannot be used: it never fires`],
    [{ cron: "@daily", timeZone: "Nowhere" }, `got "Nowhere"`],
    [{ cron: "@daily", overlap: "twice" }, "overlap must be one of first, second, both"],
    [{ every: "1 second", jitter: "2 days" }, "jitter must be a duration from 0 to 1d"],
    [{ every: "1 second", colour: "red" }, `there is no option "colour" of a schedule`],
    [{ every: "1 second", input: 7 }, "schedule.input cannot be enqueued"],
    [{ every: "1 second" }, "schedule.input cannot be enqueued"],
    ["@daily", "schedule must be an object with cron or every"],
  ]
  for (const [schedule, part] of refused) {
    it(`is refused: ${part}`, () => {
      assertThrows(
        () =>
          Job.make("nightly", { input: Schema.String, schedule: schedule as Timetable.Options }),
        Error,
        part,
      )
    })
  }
})
