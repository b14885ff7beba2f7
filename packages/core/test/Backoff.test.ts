import { Backoff, Limits, Problem } from "@millrace/core"
import { assert, assertEquals, assertThrows } from "@std/assert"
import { Duration, Effect, Schedule } from "effect"
import { describe, it } from "node:test"

const day = 24 * 60 * 60 * 1000

const hugeAttempts = [1e6, Number.MAX_SAFE_INTEGER, 1e300, 1e308, Number.MAX_VALUE]

const refusal = (f: () => unknown): string => assertThrows(f, Problem.DefinitionError).message

describe("Backoff.exponential", () => {
  it("waits the base after the first failure and doubles from there", () => {
    const backoff = Backoff.exponential({ base: "5 seconds" })
    assertEquals(Backoff.preview(backoff, 5), [5_000, 10_000, 20_000, 40_000, 80_000])
  })

  it("multiplies by the factor that it is given, a fraction too", () => {
    const tripled = Backoff.exponential({ base: 100, factor: 3 })
    assertEquals(Backoff.preview(tripled, 4), [100, 300, 900, 2700])
    const slower = Backoff.exponential({ base: 100, factor: 1.5 })
    assertEquals(Backoff.preview(slower, 4), [100, 150, 225, 338])
    assertEquals(Backoff.preview(Backoff.exponential({ base: 100, factor: 1 }), 3), [100, 100, 100])
  })

  it("stops growing at its cap, which is a day where none is named", () => {
    const capped = Backoff.exponential({ base: "1 second", cap: "5 seconds" })
    assertEquals(Backoff.preview(capped, 5), [1000, 2000, 4000, 5000, 5000])
    assertEquals(Backoff.preview(Backoff.exponential({ base: "1 second" }), 20).at(-1), day)
  })

  it("keeps a base above a day as it is, where no cap is named", () => {
    assertEquals(Backoff.preview(Backoff.exponential({ base: "2 days" }), 2), [2 * day, 2 * day])
  })

  it("never waits where the base is zero", () => {
    const none = Backoff.exponential({ base: 0, factor: 1000 })
    for (const attempt of [1, 2, ...hugeAttempts]) assertEquals(none.delayMillis(attempt, 0.5), 0)
  })

  it("describes itself for people", () => {
    const { description } = Backoff.exponential({ base: "5 seconds" })
    assertEquals(description, "exponential(5s, factor 2, cap 1d)")
  })
})

describe("Backoff.fixed and Backoff.linear", () => {
  it("fixed waits the same after each failure", () => {
    assertEquals(Backoff.preview(Backoff.fixed("3 seconds"), 3), [3000, 3000, 3000])
  })

  it("linear grows by its step up to its cap", () => {
    const backoff = Backoff.linear({ base: "1 second", step: "2 seconds", cap: "6 seconds" })
    assertEquals(Backoff.preview(backoff, 5), [1000, 3000, 5000, 6000, 6000])
    assertEquals(Backoff.preview(Backoff.linear({ base: 10, step: 0 }), 3), [10, 10, 10])
    assertEquals(Backoff.linear({ base: 0, step: "1 hour" }).delayMillis(1000, 0), day)
  })
})

describe("a delay", () => {
  const kinds: ReadonlyArray<readonly [name: string, backoff: Backoff.Backoff, atMost: number]> = [
    ["exponential", Backoff.exponential({ base: 1 }), day],
    ["exponential with a factor of 1", Backoff.exponential({ base: 5, factor: 1 }), 5],
    ["exponential with a factor of 1000", Backoff.exponential({ base: 1, factor: 1000 }), day],
    ["exponential with a cap of zero", Backoff.exponential({ base: 1, cap: 0 }), 0],
    ["exponential with jitter", Backoff.exponential({ base: 1, jitter: 1 }), day],
    ["exponential of the longest base", Backoff.exponential({ base: 3650 * day }), 3650 * day],
    ["fixed", Backoff.fixed(7, { jitter: 0.5 }), 7],
    ["linear", Backoff.linear({ base: 1, step: 1 }), day],
    ["linear without a step", Backoff.linear({ base: 1, step: 0 }), 1],
    ["custom", Backoff.custom((attempt) => attempt * attempt), Limits.delayMillis],
    ["a schedule", Backoff.fromSchedule(Schedule.exponential(1)), Limits.delayMillis],
  ]
  for (const [name, backoff, atMost] of kinds) {
    it(`is a whole number from 0 to the cap for huge attempts: ${name}`, () => {
      for (const attempt of [1, 2, 3, 31, 32, 33, 53, 64, 1023, 1024, 1100, ...hugeAttempts]) {
        for (const random of [0, 0.3, 1 - Number.EPSILON]) {
          const delay = backoff.delayMillis(attempt, random)
          const whole = Number.isInteger(delay) && delay! >= 0 && delay! <= atMost
          assert(whole, `attempt ${attempt}: ${delay}`)
        }
      }
      if (!name.includes("jitter")) assertEquals(backoff.delayMillis(1e308, 0), atMost)
    })
  }

  it("is a whole number of milliseconds where the options are fractions", () => {
    const fractions = [
      Backoff.fixed("1.5 millis"),
      Backoff.linear({ base: "0.4 millis", step: "0.3 millis" }),
      Backoff.exponential({ base: "0.4 millis", factor: 1.7 }),
      Backoff.custom((attempt) => attempt / 3),
      Backoff.fromSchedule(Schedule.spaced("1.2 millis")),
    ]
    for (const backoff of fractions) {
      assert(Backoff.preview(backoff, 20).every(Number.isInteger), backoff.description)
    }
  })
})

describe("jitter", () => {
  const jittered = (jitter: number): ReadonlyArray<Backoff.Backoff> => [
    Backoff.exponential({ base: 1000, factor: 1, jitter }),
    Backoff.fixed(1000, { jitter }),
    Backoff.linear({ base: 1000, step: 0, jitter }),
  ]

  it("only shortens, by at most its fraction, and in step with the random number", () => {
    for (const backoff of jittered(0.25)) {
      const delays = [0, 0.2, 0.4, 0.8, 0.999].map((random) => backoff.delayMillis(3, random))
      assertEquals(delays, [1000, 950, 900, 800, 750])
    }
  })

  it("of 1 reaches from no delay to the full one", () => {
    for (const backoff of jittered(1)) {
      assertEquals(backoff.delayMillis(1, 0), 1000)
      assertEquals(backoff.delayMillis(1, 0.9999), 0)
    }
  })

  it("of 0 leaves the delay alone", () => {
    for (const backoff of jittered(0)) assertEquals(backoff.delayMillis(1, 0.9), 1000)
  })

  it("is left out of a preview", () => {
    for (const backoff of jittered(0.5)) assertEquals(Backoff.preview(backoff, 2), [1000, 1000])
  })
})

describe("Backoff.custom", () => {
  it("asks the function, from attempt 1 on, and ends where it answers nothing", () => {
    const delays = ["1 second", "5 minutes", Duration.hours(1)] as const
    const backoff = Backoff.custom((attempt) => delays[attempt - 1])
    assertEquals(Backoff.preview(backoff), [1000, 300_000, 3_600_000])
    assertEquals(backoff.delayMillis(4, 0), undefined)
  })

  it("takes what is negative or no number as 0, and what is too long as 10 years", () => {
    const answers = [-5, NaN, "-3 seconds", Infinity, Duration.infinity, "1000 weeks"] as const
    const backoff = Backoff.custom((attempt) => answers[attempt - 1])
    const longest = Limits.delayMillis
    assertEquals(Backoff.preview(backoff), [0, 0, 0, longest, longest, longest])
  })
})

describe("Backoff.fromSchedule", () => {
  const hour = 60 * 60 * 1000
  const addDelay = Schedule.addDelay(() => Effect.succeed(Duration.seconds(2)))
  const cases: ReadonlyArray<
    readonly [string, Parameters<typeof Backoff.fromSchedule>[0], Array<number>]
  > = [
    ["exponential", Schedule.exponential("100 millis"), [100, 200, 400, 800]],
    ["exponential by 3", Schedule.exponential("100 millis", 3), [100, 300, 900, 2700]],
    ["fibonacci", Schedule.fibonacci("1 second"), [1000, 1000, 2000, 3000]],
    ["spaced", Schedule.spaced("1 second"), [1000, 1000, 1000, 1000]],
    ["fixed", Schedule.fixed("1 second"), [1000, 1000, 1000, 1000]],
    ["windowed", Schedule.windowed("1 second"), [1000, 1000, 1000, 1000]],
    ["forever", Schedule.forever, [0, 0, 0, 0]],
    ["recurs", Schedule.recurs(3), [0, 0, 0]],
    ["recurs with a delay", addDelay(Schedule.recurs(3)), [2000, 2000, 2000]],
    ["cron", Schedule.cron("0 3 * * *", "UTC"), [3 * hour, day, day, day]],
    [
      "capped",
      Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("3 seconds")]),
      [1000, 2000, 3000, 3000],
    ],
    [
      "the longer of two",
      Schedule.max([Schedule.exponential("1 second"), Schedule.spaced("3 seconds")]),
      [3000, 3000, 4000, 8000],
    ],
    [
      "ending by count",
      Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 2 })),
      [1000, 2000],
    ],
    [
      "ending by its own time",
      Schedule.spaced("4 seconds").pipe(Schedule.upTo({ duration: "10 seconds" })),
      [4000, 4000, 4000],
    ],
    ["jittered", Schedule.jittered(Schedule.spaced("10 seconds")), [8284, 9587, 8201, 11482]],
    ["negative", Schedule.spaced(Duration.millis(-5)), [0, 0, 0, 0]],
    ["without end", Schedule.spaced(Duration.infinity), Array(4).fill(Limits.delayMillis)],
  ]
  for (const [name, schedule, delays] of cases) {
    it(`replays a schedule that is ${name}`, () => {
      const backoff = Backoff.fromSchedule(schedule)
      assertEquals(Backoff.preview(backoff, 4), delays)
      if (delays.length < 4) assertEquals(backoff.delayMillis(1e6, 0), undefined)
    })
  }

  it("answers the same delay for the same attempt, in any order and whatever the random", () => {
    const schedule = Schedule.jittered(Schedule.exponential("1 second"))
    const forward = Backoff.preview(Backoff.fromSchedule(schedule), 6)
    const other = Backoff.fromSchedule(schedule)
    const backward = [6, 5, 4, 3, 2, 1].map((attempt) => other.delayMillis(attempt, 0.7))
    assertEquals(backward.reverse(), [...forward])
  })

  it("uses the delay of step 1,000 from there on", () => {
    const backoff = Backoff.fromSchedule(addDelay(Schedule.recurs(1000)))
    assertEquals(backoff.delayMillis(1000, 0), 2000)
    assertEquals(backoff.delayMillis(1e9, 0), 2000)
  })

  it("refuses a schedule that waits, fails or dies, when it is defined", () => {
    const message = `Cannot define backoff "schedule": schedule must be a Schedule whose steps ` +
      "neither wait nor fail, got a value of type object"
    const waits = Schedule.forever.pipe(
      Schedule.addDelay(() => Effect.as(Effect.sleep(1), Duration.zero)),
    )
    const dies = Schedule.forever.pipe(Schedule.addDelay(() => Effect.die("no")))
    assertEquals(refusal(() => Backoff.fromSchedule(waits)), message)
    assertEquals(refusal(() => Backoff.fromSchedule(dies)), message)
    assertEquals(refusal(() => Backoff.fromSchedule(Schedule.cron("61 * * * *"))), message)
  })
})

describe("Backoff.preview", () => {
  it("lists ten delays, or as many as asked for", () => {
    assertEquals(Backoff.preview(Backoff.fixed(1)).length, 10)
    assertEquals(Backoff.preview(Backoff.fixed(1), 0), [])
  })

  it("ends though asked for endlessly many", () => {
    assertEquals(Backoff.preview(Backoff.fixed(1), Infinity).length, Limits.maxAttempts)
    assertEquals(Backoff.preview(Backoff.fixed(1), NaN), [])
  })
})

describe("options of a backoff out of bounds", () => {
  // Somebody without a type checker.
  const loose = Backoff as unknown as Readonly<
    Record<string, (...args: ReadonlyArray<unknown>) => Backoff.Backoff>
  >
  const range = "a duration from 0 to 3650d"
  const cases: ReadonlyArray<readonly [kind: string, args: Array<unknown>, message: string]> = [
    ["exponential", [{ base: -1 }], `base must be ${range}, got -1`],
    ["exponential", [{ base: NaN }], `base must be ${range}, got NaN`],
    ["exponential", [{ base: Infinity }], `base must be ${range}, got Infinity`],
    ["exponential", [{ base: "Infinity" }], `base must be ${range}, got "Infinity"`],
    ["exponential", [{ base: "5 sec" }], `base must be ${range}, got "5 sec"`],
    ["exponential", [{}], `base must be ${range}, got undefined`],
    ["exponential", [{ base: 1, cap: -1 }], `cap must be ${range}, got -1`],
    ["exponential", [{ base: 1, factor: 0.5 }], "factor must be a number from 1 to 1000, got 0.5"],
    ["exponential", [{ base: 1, factor: NaN }], "factor must be a number from 1 to 1000, got NaN"],
    [
      "exponential",
      [{ base: 1, factor: 1e9 }],
      "factor must be a number from 1 to 1000, got 1000000000",
    ],
    ["exponential", [{ base: 1, factor: "2" }], `factor must be a number from 1 to 1000, got "2"`],
    ["exponential", [{ base: 1, jitter: 1.1 }], "jitter must be a number from 0 to 1, got 1.1"],
    ["exponential", [{ base: 1, jitter: "0.5" }], `jitter must be a number from 0 to 1, got "0.5"`],
    ["fixed", ["3651 days"], `delay must be ${range}, got "3651 days"`],
    ["fixed", [1, { jitter: NaN }], "jitter must be a number from 0 to 1, got NaN"],
    [
      "linear",
      [{ base: 1, step: { hour: 1 } }],
      `step must be ${range}, got a value of type object`,
    ],
    ["linear", [{ base: 1, step: 1, cap: [] }], `cap must be ${range}, got a value of type array`],
    ["linear", [{ base: 1, step: 1, jitter: -1 }], "jitter must be a number from 0 to 1, got -1"],
  ]
  for (const [kind, args, message] of cases) {
    it(`${kind}: ${message}`, () => {
      assertEquals(
        refusal(() => loose[kind]!(...args)),
        `Cannot define backoff "${kind}": ${message}`,
      )
    })
  }

  it("fromSchedule: what is no schedule", () => {
    assertEquals(
      refusal(() => loose["fromSchedule"]!("1 second")),
      `Cannot define backoff "schedule": schedule must be a Schedule whose steps ` +
        `neither wait nor fail, got "1 second"`,
    )
  })
})
