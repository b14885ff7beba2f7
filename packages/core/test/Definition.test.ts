import { Backoff, Definition, Job, Limits, Problem } from "@millrace/core"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert"
import { Duration, Schema, SchemaTransformation } from "effect"
import { describe, it } from "node:test"

const messages = (...drafts: ReadonlyArray<Definition.Draft>): ReadonlyArray<string> =>
  Definition.check(drafts).map((problem) => problem.message)

/** The options as somebody writes them who has no type checker. */
const define = (slug: unknown, options?: Record<string, unknown>) =>
  Job.make(slug as string, options as never)

const slugRule = "lower-case letters, digits and underscores, not starting with a digit, " +
  "at most 48 characters"

describe("an option at its bounds", () => {
  const longest = "a".repeat(48)
  const accepted: ReadonlyArray<readonly [option: string, values: ReadonlyArray<unknown>]> = [
    ["slug", ["a", "_", "send_email", "_1", longest]],
    ["queue", ["a", "_", "mail_2", longest]],
    ["maxAttempts", [1, 2, 100_000, undefined]],
    ["maxCrashes", [0, -0, 1, 100]],
    ["baseDelay", [0, -0, 1, "5 seconds", { hours: 1, minutes: 30 }, [5, 0], 5n, "3650 days"]],
    ["timeout", [1, "30 seconds", "7 days", Duration.days(7), { days: 7 }]],
    ["expiresIn", [1, "5 minutes", "3650 days", { days: 3650 }]],
    ["retention", [
      {},
      { completed: 0, failed: "30 days", cancelled: { days: 3 } },
      { completed: { age: "1 day", count: 1000 }, failed: { count: 0 }, cancelled: undefined },
    ]],
    ["priority", [0, 9]],
    ["retryable", [() => true]],
    ["backoff", [Backoff.fixed(1)]],
    ["input", [Schema.String, {}, { to: Schema.String }, Object.create(null)]],
  ]
  for (const [option, values] of accepted) {
    it(`${option} is accepted`, () => {
      for (const value of values) assertEquals(messages({ slug: "a_job", [option]: value }), [])
    })
  }

  const notNumbers = ["1", "NaN", true, null, {}, [], 1n, NaN, Infinity, -Infinity, 1.5, 0.1 + 0.2]
  const notDurations = [
    ...["Infinity", "-Infinity", "-1 second", "5", "", "5 fortnights", "1e3 millis", " 1 second "],
    ...[NaN, Infinity, -Infinity, -1, -1e-9, true, null, -5n],
    ...[{}, [], [1], [NaN, 0], [-1, 0], { second: 5 }, { seconds: "5" }, { seconds: -5 }],
    ...[{ hours: NaN }, new Date(5), () => 1, Duration.seconds(-1), Duration.infinity],
  ]
  const refused: ReadonlyArray<readonly [option: string, values: ReadonlyArray<unknown>]> = [
    ["slug", ["", "A", "Send", "1a", "a-b", "a b", "a\n", "ä", `${longest}a`, null, 1, undefined]],
    ["queue", ["", "A", "9", "a.b", "a\u0000", `${longest}a`, null, 5, Symbol("a")]],
    ["maxAttempts", [...notNumbers, 0, -0, -1, 100_001, 2 ** 53]],
    ["maxCrashes", [...notNumbers, -1, 101]],
    ["baseDelay", [...notDurations, 3650 * 86_400_000 + 1]],
    ["timeout", [...notDurations, 0, 0.9, "0 seconds", 7 * 86_400_000 + 1]],
    ["expiresIn", [...notDurations, 0, 0.9, "0 seconds", 3650 * 86_400_000 + 1]],
    ["priority", [...notNumbers, -1, 10]],
    ["retryable", [true, "always", null, {}]],
    ["backoff", [5, "exponential", {}, null, () => 5]],
    ["input", [5, "String", null, [], [Schema.String], new Map(), new Date(0), { to: "String" }]],
    ["output", [Promise.resolve(), /a/, { a: { b: Schema.String } }, () => Schema.String]],
    ["error", [Error, { message: String }]],
  ]
  for (const [option, values] of refused) {
    it(`${option} is refused beyond, with one line that names it`, () => {
      for (const value of values) {
        const problems = Definition.check([{ slug: "a_job", [option]: value }])
        assertEquals(problems.map((one) => one.option), [option], String(value))
        assert(/^Cannot define job .*: \w+ must .*[^.]$/.test(problems[0]!.message))
      }
    })
  }
})

describe("a retention that is refused", () => {
  const many = "an integer of at most 1000000"
  const cases: ReadonlyArray<readonly [retention: unknown, option: string, message: string]> = [
    ["1 day", "retention", `retention must be an object, got "1 day"`],
    [[], "retention", "retention must be an object, got a value of type array"],
    [{ complete: 1 }, "retention.complete", `there is no option "retention.complete"`],
    [{ skipped: 1 }, "retention.skipped", `there is no option "retention.skipped"`],
    [{ failed: -1 }, "retention.failed", "retention.failed must be a duration from 0 to 3650d"],
    [{ failed: {} }, "retention.failed", "retention.failed must be a duration from 0 to 3650d"],
    [
      { failed: { age: "soon" } },
      "retention.failed.age",
      "retention.failed.age must be a duration",
    ],
    [{ failed: { count: 1.5 } }, "retention.failed.count", "retention.failed.count must be an int"],
    [
      { failed: { count: 1e7 } },
      "retention.failed.count",
      `retention.failed.count must be ${many}`,
    ],
    [{ failed: { count: 1, days: 2 } }, "retention.failed.days", "there is no option"],
    [{ failed: { age: undefined } }, "retention.failed", "retention.failed must be a duration, or"],
  ]
  for (const [retention, option, message] of cases) {
    it(`${option}: ${message}`, () => {
      const [problem, ...others] = Definition.check([{ slug: "a_job", retention }])
      assertEquals([problem?.option, others], [option, []])
      assert(problem!.message.startsWith(`Cannot define job "a_job": ${message}`), problem!.message)
    })
  }
})

describe("the message of a refused definition", () => {
  const cases: ReadonlyArray<readonly [options: Record<string, unknown>, message: string]> = [
    [{ maxAttempts: 2.5 }, "maxAttempts must be an integer of at least 1, got 2.5"],
    [{ maxAttempts: NaN }, "maxAttempts must be an integer of at least 1, got NaN"],
    [{ maxAttempts: "3" }, `maxAttempts must be an integer of at least 1, got "3"`],
    [{ maxAttempts: Infinity }, "maxAttempts must be an integer of at most 100000, got Infinity"],
    [{ maxAttempts: 100_001 }, "maxAttempts must be an integer of at most 100000, got 100001"],
    [{ maxCrashes: -1 }, "maxCrashes must be an integer of at least 0, got -1"],
    [{ priority: 10 }, "priority must be an integer of at most 9, got 10"],
    [{ timeout: 0 }, "timeout must be a duration from 1ms to 7d, got 0"],
    [{ timeout: "8 days" }, `timeout must be a duration from 1ms to 7d, got "8 days"`],
    [{ baseDelay: Duration.seconds(-5) }, "baseDelay must be a duration from 0 to 3650d, got -5s"],
    [{ queue: "Mail" }, `queue must be ${slugRule}, got "Mail"`],
    [{ retryable: 5n }, "retryable must be a function of the error, got 5n"],
    [{ backoff: 1 }, "backoff must be a Backoff, such as Backoff.fixed(...), got 1"],
    [{ input: [] }, "input must be a Schema or an object of Schemas, got a value of type array"],
    [{ maxAttempt: 3 }, `there is no option "maxAttempt"`],
    [
      { baseDelay: 1, backoff: Backoff.fixed(1) },
      "give either baseDelay or backoff, not both",
    ],
  ]
  for (const [options, message] of cases) {
    it(message, () => {
      const whole = `Cannot define job "send_email": ${message}`
      assertThrows(() => define("send_email", options), Problem.DefinitionError, whole)
      assertEquals(messages({ slug: "send_email", ...options }), [whole])
    })
  }

  it("shows what was given as a slug, on one line and shortened", () => {
    assertEquals(messages({ slug: "a\nb" }), [
      `Cannot define job "a\\nb": slug must be ${slugRule}, got "a\\nb"`,
    ])
    assertEquals(messages({ slug: undefined }), [
      `Cannot define job undefined: slug must be ${slugRule}, got undefined`,
    ])
    assert(messages({ slug: "a".repeat(1e6) })[0]!.length < 400)
    assertEquals(messages({ slug: Object.create(null) }).length, 1)
  })

  it("comes with the problem as a value", () => {
    const error = assertThrows(() => define("a_job", { priority: 10 }), Problem.DefinitionError)
    assertEquals(error.problem, {
      subject: `job "a_job"`,
      option: "priority",
      message: error.message,
    })
  })
})

describe("Definition.check", () => {
  it("lists all that is wrong, where defining throws the first", () => {
    const draft = { slug: "Send", maxAttempts: 0, timeout: -1, priority: 1.5, colour: "red" }
    const problems = Definition.check([draft])
    const options = ["slug", "colour", "maxAttempts", "timeout", "priority"]
    assertEquals(problems.map((problem) => problem.option), options)
    const { slug, ...rest } = draft
    const error = assertThrows(() => define(slug, rest), Problem.DefinitionError)
    assertEquals(error.message, problems[0]!.message)
  })

  it("finds nothing wrong with jobs that were made, with or without a handler", () => {
    class Mail extends Job.make("mail") {}
    const sms = Job.make("sms", { queue: "mail" })
    assertEquals(Definition.check([Mail, sms]), [])
    assertEquals(Definition.check([sms, { slug: "push", queue: "mail" }]), [])
  })

  it("finds a slug that is there twice, ignoring case, among jobs and drafts alike", () => {
    const twice = (slug: string) =>
      `Cannot define job "${slug}" twice: slugs must be unique, ignoring case`
    assertEquals(messages({ slug: "mail" }, { slug: "sms" }, { slug: "mail" }), [twice("mail")])
    const mail = Job.make("mail")
    assertEquals(Definition.check([mail, Job.make("mail")]).map((one) => one.message), [
      twice("mail"),
    ])
    const found = Definition.check([mail, { slug: "MAIL" }])
    assertEquals(found.map((one) => one.option), ["slug", "slug"])
    assertEquals(found[1]!.message, twice("MAIL"))
  })

  it("keeps names that objects have of their own apart", () => {
    assertEquals(messages({ slug: "constructor" }, { slug: "__proto__" }, { slug: "valueof" }), [])
  })
})

class Money {
  readonly cents: number
  constructor(cents: number) {
    this.cents = cents
  }
}

describe("a schema without a JSON form", () => {
  const money = Schema.instanceOf(Money)
  const declared = Schema.declare((u: unknown): u is Money => u instanceof Money)
  class Bill extends Schema.Class<Bill>("Bill")({ total: money }) {}
  interface Tree {
    readonly value: Money
    readonly children: ReadonlyArray<Tree>
  }
  const tree = Schema.Struct({
    value: money,
    children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => tree)),
  })
  const cases: ReadonlyArray<readonly [name: string, schema: unknown, part?: string]> = [
    ["instanceOf", money],
    ["declare", declared],
    ["a field", { total: money }, `"total"`],
    ["an optional field", { total: Schema.optional(money) }, `"total"`],
    ["an optional key", { total: Schema.optionalKey(declared) }, `"total"`],
    ["a nested field", { bill: Schema.Struct({ total: money }) }, `"total"`],
    ["an array", Schema.Array(money)],
    ["a field of arrays", { totals: Schema.Array(money) }, `"totals"`],
    ["a tuple", Schema.Tuple([Schema.String, money])],
    ["a union", Schema.Union([Schema.String, money])],
    ["a nullable", Schema.NullOr(money)],
    ["a record", Schema.Record(Schema.String, money)],
    ["a class", Bill, `"total"`],
    ["a field of a class", { bill: Bill }, `"total"`],
    ["an Option", Schema.Option(money)],
    ["a Map", Schema.ReadonlyMap(Schema.String, money)],
    ["a suspended schema", Schema.suspend(() => money)],
    ["a recursive schema", tree, `"value"`],
    ["a check", money.check(Schema.makeFilter((one) => one.cents > 0))],
    ["anything", Schema.Any],
    ["a field of anything", { data: Schema.Any }, `"data"`],
  ]
  for (const [name, schema, part = "the value"] of cases) {
    it(`is refused: ${name}`, () => {
      for (const option of ["input", "output", "error"] as const) {
        const [message, ...more] = messages({ slug: "a_job", [option]: schema })
        assertEquals(more, [])
        const start = `Cannot define job "a_job": ${option} must have a JSON form, but ${part} `
        assertStringIncludes(message!, start)
      }
    })
  }

  it("is refused: a key that is a symbol", () => {
    const keyed = { [Symbol.for("to")]: Schema.String }
    const [message] = messages({ slug: "a_job", input: keyed })
    assertEquals(
      message!,
      `Cannot define job "a_job": input must have a JSON form, but ` +
        "Objects property names must be strings",
    )
    assertEquals(messages({ slug: "a_job", input: Schema.Struct(keyed) }), [message!])
  })

  it("is accepted where it has a transformation from one that has", () => {
    const fromCents = Schema.Int.pipe(Schema.decodeTo(
      money,
      SchemaTransformation.transform({
        decode: (cents: number) => new Money(cents),
        encode: (one: Money) => one.cents,
      }),
    ))
    assertEquals(messages({ slug: "a_job", input: { total: Schema.Array(fromCents) } }), [])
    const annotated = Schema.instanceOf(Money, {
      toCodecJson: () =>
        Schema.link<Money>()(
          Schema.Int,
          SchemaTransformation.transform({
            decode: (cents: number) => new Money(cents),
            encode: (one: Money) => one.cents,
          }),
        ),
    })
    assertEquals(messages({ slug: "a_job", input: annotated }), [])
  })
})

describe("the limits", () => {
  it("are what the messages and the documentation say", () => {
    assertEquals(
      [Limits.slugLength, Limits.maxAttempts, Limits.maxCrashes, Limits.lowestPriority],
      [48, 100_000, 100, 9],
    )
    assertEquals([Limits.timeoutMillis, Limits.delayMillis], [604_800_000, 315_360_000_000])
  })
})
