import { assert, assertEquals } from "@std/assert"
import { Cron, Recurrence } from "@millrace/core"
import { describe, it } from "node:test"

const hour = 3_600_000
const day = 24 * hour

const cron = (expression: string, timeZone: string, more: Partial<Cron.Cron> = {}): Cron.Cron => ({
  _tag: "Cron",
  expression,
  timeZone,
  gap: "move",
  overlap: Cron.overlapOf(expression),
  ...more,
})

/** The fields of a local time by the runtime's own calendar, not by Effect's. */
const localOf = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  })
  return (instant: number): number => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value)
    const { year, month, day, hour, minute, second } = parts
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!)
  }
}

/** Where a zone's offset changes between two years, as the runtime says. */
const changesOf = (timeZone: string, from: number, to: number) => {
  const local = localOf(timeZone)
  const offset = (instant: number) => local(instant) - instant
  const found: Array<{ readonly at: number; readonly before: number; readonly after: number }> = []
  const start = Date.UTC(from, 0, 1)
  const end = Date.UTC(to, 0, 1)
  let [at, before] = [start, offset(start)]
  while (at < end) {
    let [low, high] = [at, at + 10 * day]
    const after = offset(high)
    at = high
    if (before === after) continue
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000
      if (offset(middle) === before) low = middle
      else high = middle
    }
    found.push({ at: high, before, after: offset(high) })
    before = after
  }
  return found
}

/** All instants of a half-hourly and of a nightly expression around a change, second by second. */
const expected = (
  matches: (wall: number) => boolean,
  change: { readonly at: number; readonly before: number; readonly after: number },
  { gap, overlap }: Pick<Cron.Cron, "gap" | "overlap">,
  [from, until]: readonly [number, number],
) => {
  const { after, at, before } = change
  const found = new Set<number>()
  const step = 60_000
  for (let wall = from + Math.min(before, after) - day; wall < until + day + 15 * hour;) {
    if (matches(wall)) {
      const first = wall - before < at ? wall - before : undefined
      const second = wall - after >= at ? wall - after : undefined
      if (first !== undefined && second !== undefined) {
        if (overlap !== "second") found.add(first)
        if (overlap !== "first") found.add(second)
      } else if (first === undefined && second === undefined) {
        if (gap === "move") found.add(wall - before)
      } else found.add((first ?? second)!)
    }
    wall += step
  }
  return [...found].filter((instant) => instant > from && instant <= until).sort((a, b) => a - b)
}

const walls: ReadonlyArray<readonly [string, (wall: number) => boolean]> = [
  ["*/30 * * * *", (wall) => wall % (30 * 60_000) === 0],
  ["15 2 * * *", (wall) => wall % day === 2 * hour + 15 * 60_000],
  ["0 0,3,23 * * *", (wall) => [0, 3 * hour, 23 * hour].includes(wall % day)],
  ["17 */2 * * *", (wall) => wall % (2 * hour) === 17 * 60_000],
]

const policies = (["move", "skip"] as const).flatMap((gap) =>
  (["first", "second", "both"] as const).map((overlap) => ({ gap, overlap }))
)

describe("cron around the changes of every time zone", () => {
  const zones = Intl.supportedValuesOf("timeZone")

  it("there are many", () => assert(zones.length > 400, `${zones.length} zones`))

  it("fires when the policy says, and at no other instant", { timeout: 240_000 }, () => {
    let changes = 0
    zones.forEach((zone, index) => {
      // Each zone has all of its changes of 8 years, and each change another policy.
      changesOf(zone, 2021, 2029).forEach((change, nth) => {
        // Less than a minute is out of the reach of the table of expectations.
        if ((change.before - change.after) % 60_000 !== 0 || change.at % 60_000 !== 0) return
        const policy = policies[(index + nth) % policies.length]!
        const [expression, matches] = walls[(index + 3 * nth) % walls.length]!
        const span = [change.at - 30 * hour, change.at + 30 * hour] as const
        const wanted = expected(matches, change, policy, span)
        const found: Array<number> = []
        const one = cron(expression, zone, policy)
        for (let at = Cron.next(one, span[0]); at! <= span[1]; at = Cron.next(one, at!)) {
          found.push(at!)
        }
        const name = `${zone} ${new Date(change.at).toISOString()} ${expression} ` +
          `${policy.gap} ${policy.overlap}`
        assertEquals(found.map(iso), wanted.map(iso), name)
        changes++
      })
    })
    assert(changes > 1000, `${changes} changes`)
  })
})

const iso = (instant: number) => new Date(instant).toISOString()

const from = (text: string) => Date.parse(text)

describe("cron", () => {
  const cases: ReadonlyArray<readonly [string, Cron.Cron, string, ReadonlyArray<string>]> = [
    ["five fields", cron("0 9 * * 1-5", "UTC"), "2026-01-02T12:00:00Z", [
      "2026-01-05T09:00:00.000Z",
      "2026-01-06T09:00:00.000Z",
    ]],
    ["six fields", cron("*/20 * * * * *", "UTC"), "2026-01-02T12:00:00.500Z", [
      "2026-01-02T12:00:20.000Z",
      "2026-01-02T12:00:40.000Z",
      "2026-01-02T12:01:00.000Z",
    ]],
    ["an alias", cron("@Monthly", "UTC"), "2026-01-31T00:00:00Z", ["2026-02-01T00:00:00.000Z"]],
    ["a leap day", cron("0 0 29 2 *", "UTC"), "2096-03-01T00:00:00Z", ["2104-02-29T00:00:00.000Z"]],
    ["a fixed offset", cron("0 9 * * *", "+05:30"), "2026-01-01T00:00:00Z", [
      "2026-01-01T03:30:00.000Z",
    ]],
    ["a day that Samoa skipped", cron("0 12 * * *", "Pacific/Apia"), "2011-12-29T23:00:00Z", [
      "2011-12-30T22:00:00.000Z",
      "2011-12-31T22:00:00.000Z",
    ]],
    [
      "a change of half an hour",
      cron("15 2 * * *", "Australia/Lord_Howe"),
      "2026-10-02T20:00:00Z",
      ["2026-10-03T15:45:00.000Z", "2026-10-04T15:15:00.000Z"],
    ],
    [
      "a yearly one over many changes",
      cron("0 12 1 7 *", "America/New_York"),
      "2026-07-02T00:00:00Z",
      [
        "2027-07-01T16:00:00.000Z",
        "2028-07-01T16:00:00.000Z",
      ],
    ],
  ]
  for (const [name, one, after, wanted] of cases) {
    it(`fires: ${name}`, () => {
      assertEquals(Recurrence.preview(one, from(after), wanted.length).map(iso), wanted)
    })
  }

  it("never fires for a date that there is not", () => {
    for (const expression of ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 31 2 *"]) {
      assert(Cron.problemOf(expression)?.includes("no such date"), expression)
      assertEquals(Cron.next(cron(expression, "Europe/Berlin"), 0), undefined)
    }
  })

  it("says what is wrong with an expression", () => {
    for (
      const expression of [
        "",
        "* * *",
        "60 * * * *",
        "* * * * mon-",
        "@never",
        "a b c d e",
        7,
        "*/0 * * * *",
      ]
    ) {
      assert(Cron.problemOf(expression) !== undefined, String(expression))
    }
  })

  it("ends with the year 9999", () => {
    assertEquals(Cron.next(cron("0 0 1 1 *", "UTC"), Date.UTC(9999, 5, 1)), undefined)
  })
})

describe("a grid", () => {
  const every = { _tag: "Every", everyMillis: 900_000, offsetMillis: 60_000 } as const

  it("is the same wherever one looks from", () => {
    assertEquals(Recurrence.preview(every, 60_000, 2), [960_000, 1_860_000])
    assertEquals(Recurrence.next(every, 59_999), 60_000)
    assertEquals(Recurrence.next(every, -1_000_000), -840_000)
  })

  it("gives its last occurrences, however long ago the first was", () => {
    const until = Date.UTC(2026, 0, 1)
    assertEquals(Recurrence.last(every, 0, until, 2), [until - 1_740_000, until - 840_000])
    assertEquals(Recurrence.last(every, until - 1, until, 2), [])
    assertEquals(Recurrence.last(every, 0, 60_000, 2), [60_000])
  })
})
