import { Backoff, Definition, Flow, Job, Limits, Problem, Shape } from "@millrace/core"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert"
import { Effect, Schema } from "effect"
import { describe, it } from "node:test"

/** The methods as somebody calls them who has no type checker. */
interface Untyped {
  readonly [method: string]: (...args: ReadonlyArray<unknown>) => Untyped
}

const untyped = (flow: unknown) => flow as Untyped

const refusal = (define: () => unknown): string =>
  assertThrows(define, Problem.DefinitionError).message

const messages = (...drafts: ReadonlyArray<Flow.Draft>): ReadonlyArray<string> =>
  Definition.check(drafts).map((problem) => problem.message)

const Line = Schema.Struct({ sku: Schema.String, count: Schema.Int })

class Order extends Schema.Class<Order>("Order")({
  lines: Schema.Array(Line),
  notes: Schema.optionalKey(Schema.Array(Schema.String)),
  at: Schema.Date,
}) {}

class Ship extends Job.make("ship", {
  input: { first: Schema.Struct({ lines: Schema.Array(Line), at: Schema.DateFromMillis }) },
  output: Schema.Int,
  queue: "parcels",
  maxAttempts: 7,
}) {}

const root = Flow.make("orders", {
  input: { id: Schema.String, list: Schema.Array(Schema.Int) },
  maxAttempts: 3,
  maxCrashes: 5,
  baseDelay: "2 seconds",
  timeout: "1 minute",
  priority: 2,
})
const one = root.step("first", { output: Order })

const stepOf = (flow: { readonly definition: Flow.Definition }, slug: string): Flow.Step =>
  flow.definition.steps.find((step) => step.slug === slug)!

describe("a step", () => {
  it("is tried as its flow says, and as itself says", () => {
    const plain = stepOf(one, "first").policy
    assertEquals([plain.maxAttempts, plain.maxCrashes, plain.timeoutMillis], [3, 5, 60_000])
    assertEquals(Backoff.preview(plain.backoff, 2), [2000, 4000])
    const own = stepOf(
      one.step("own", { maxAttempts: 1, backoff: Backoff.fixed("7 seconds"), queue: "slow" }),
      "own",
    )
    assertEquals([own.policy.maxAttempts, own.policy.maxCrashes, own.queue], [1, 5, "slow"])
    assertEquals(Backoff.preview(own.policy.backoff, 2), [7000, 7000])
    const job = stepOf(one.job("send", Ship, { needs: ["first"] }), "send")
    assertEquals([job.policy.maxAttempts, job.queue], [7, "parcels"])
  })

  it("leaves the flow as it is to which it is added", () => {
    const [a, b] = [one.step("a"), one.step("b", { needs: ["first"] })]
    assertEquals([one.steps, a.steps, b.steps], [["first"], ["first", "a"], ["first", "b"]])
    assertEquals(stepOf(b, "b").needs, ["first"])
  })

  it("says what it is, in data", () => {
    const flow = one
      .map("each", { over: "first.lines", onFailure: "collect", startDelay: "3 seconds" })
      .waitFor("go", { timeout: "2 days", whenExhausted: "skip-cascade" })
      .sleep("rest", "1 hour", { needs: ["go"], ifNot: { go: undefined }, whenUnmet: "fail" })
    const [, each, go, rest] = flow.definition.steps
    assertEquals([each!.kind, each!.needs, each!.over], ["map", ["first"], ["first", "lines"]])
    assertEquals([each!.onFailure, each!.startDelayMillis], ["collect", 3000])
    assertEquals([go!.kind, go!.waitMillis, go!.whenExhausted], [
      "signal",
      172_800_000,
      "skip-cascade",
    ])
    assertEquals([rest!.kind, rest!.waitMillis, rest!.whenUnmet], ["sleep", 3_600_000, "fail"])
    assert(rest!.condition !== undefined && each!.condition === undefined)
  })
})

describe("a job or a flow as a step", () => {
  it("is given what the step sees in the form in which it is stored for it", () => {
    const flow = one.job("send", Ship, { needs: ["first"] })
    const step = stepOf(flow, "send")
    const seen = `{"first":{"lines":[],"at":"1970-01-01T00:00:05.000Z"}}`
    const value = flow.parts.decodeValue(step, seen)
    assert(value.ok)
    assertEquals(flow.parts.encodeInput(step, step.convert!(value.value)), {
      ok: true,
      value: `{"first":{"lines":[],"at":5000}}`,
    })
  })

  it("is refused where what the step sees surely does not fit", () => {
    const start = `Cannot define step "send" of flow "orders": what it sees does not fit`
    const end = "; make its input with the option input"
    assertEquals(
      refusal(() => untyped(root).job!("send", Ship)),
      `${start} job "ship": it has no key "first"${end}`,
    )
    const text = root.step("first", { output: Schema.String })
    const Takes = Job.make("takes", { input: { first: Schema.Int } })
    assertEquals(
      refusal(() => untyped(text).job!("send", Takes, { needs: ["first"] })),
      `${start} job "takes": "first" is a string and not a number${end}`,
    )
    const Sub = Flow.make("sub", { input: { first: Schema.Array(Schema.String) } }).step("a")
    assertEquals(
      refusal(() => untyped(text).flow!("send", Sub, { needs: ["first"] })),
      `${start} flow "sub": "first" is a string and not an array${end}`,
    )
    const Plain = Job.make("plain")
    assertEquals(
      refusal(() => untyped(root).job!("send", Plain)),
      `${start} job "plain": it is an object and not nothing${end}`,
    )
  })

  it("is refused where it is none", () => {
    const start = `Cannot define step "a" of flow "orders":`
    assertEquals(
      refusal(() => untyped(root).job!("a", {})),
      `${start} job must be a job, got a value of type object`,
    )
    assertEquals(
      refusal(() => untyped(root).flow!("a", Ship)),
      `${start} flow must be a flow, got a value of type function`,
    )
  })
})

describe("what types tell is told at run time as well", () => {
  const start = `Cannot define step "a" of flow "orders":`
  const cases: ReadonlyArray<readonly [string, () => unknown, string]> = [
    ["an unknown need", () => untyped(one).step!("a", { needs: ["pak"] }), "which is no earlier"],
    ["an own need", () => untyped(one).step!("a", { needs: ["a"] }), "which is no earlier step"],
    ["a need twice", () => untyped(one).step!("a", { needs: ["first", "first"] }), "twice"],
    ["needs of another type", () => untyped(one).step!("a", { needs: "first" }), "an array of"],
    ["no array", () => untyped(one).map!("a", { over: "first.at" }), "no array"],
    ["no such field", () => untyped(one).map!("a", { over: "first.items" }), "no array"],
    ["no such step", () => untyped(one).map!("a", { over: "second" }), "begins at no earlier step"],
    ["no path", () => untyped(one).map!("a", {}), "over must be a path"],
    ["an empty path", () => untyped(one).map!("a", { over: "" }), "over must be a path"],
    ["an option there is not", () => untyped(one).step!("a", { need: [] }), `no option "need"`],
    ["an option of maps", () => untyped(one).step!("a", { over: "first" }), `no option "over"`],
    ["an option of steps", () => untyped(one).waitFor!("a", { undo: true }), `no option "undo"`],
    [
      "a policy of a job",
      () => untyped(one).job!("a", Ship, { needs: ["first"], maxAttempts: 2 }),
      "maxAttempts",
    ],
    ["a choice", () => untyped(one).step!("a", { whenUnmet: "ignore" }), "whenUnmet must be one"],
    ["an undo", () => untyped(one).step!("a", { undo: "yes" }), "undo must be one of true, false"],
    ["a predicate", () => untyped(one).step!("a", { when: true }), "when must be a function"],
    ["a delay", () => untyped(one).step!("a", { startDelay: -1 }), "startDelay must be a duration"],
    ["a timeout of a sleep", () => untyped(one).sleep!("a", 1, { timeout: 1 }), `option "timeout"`],
    ["an input of a step", () => untyped(one).step!("a", { input: () => 1 }), `option "input"`],
    ["a duration", () => untyped(one).sleep!("a"), "duration must be a duration"],
    ["a timeout", () => untyped(one).waitFor!("a", { timeout: "3651 days" }), "timeout must be"],
    ["attempts", () => untyped(one).step!("a", { maxAttempts: 0 }), "maxAttempts must be"],
    ["a schema", () => untyped(one).step!("a", { output: 5 }), "output must be a Schema"],
  ]
  for (const [name, define, part] of cases) {
    it(`refuses ${name}`, () => {
      const message = refusal(define)
      assertStringIncludes(message, start)
      assertStringIncludes(message, part)
      assert(!message.endsWith("."))
    })
  }

  it("refuses slugs that cannot be", () => {
    for (const slug of ["first", "input", "__proto__", "A", "a-b", "", "a".repeat(49), 5]) {
      refusal(() => untyped(one).step!(slug))
    }
    assertEquals(one.step("constructor").step("valueof").steps.length, 3)
  })

  it("refuses more steps and needs than the limits, and takes that many", () => {
    const names = Array.from({ length: Limits.stepsPerFlow }, (_, index) => `s${index}`)
    const all = Flow.ofDraft({ slug: "many", steps: names.map((slug) => ({ slug })) })
    assertEquals(all.steps.length, Limits.stepsPerFlow)
    assertStringIncludes(
      refusal(() => untyped(all).step!("more")),
      `at most ${Limits.stepsPerFlow} steps`,
    )
    const more = [...names, "more"].map((slug) => ({ slug }))
    assertStringIncludes(
      messages({ slug: "many", steps: more })[0]!,
      `at most ${Limits.stepsPerFlow} steps`,
    )
    const needs = [...names, "more"].slice(0, Limits.needsPerStep + 1)
    assertStringIncludes(
      refusal(() => untyped(one).step!("a", { needs })),
      `a step needs at most ${Limits.needsPerStep} others`,
    )
    const join = { slug: "join", needs: needs.slice(0, Limits.stepsPerFlow - 1) }
    const steps = join.needs.map((slug) => ({ slug }))
    assertEquals(messages({ slug: "wide", steps: [...steps, join] }), [])
  })
})

describe("a flow that is data", () => {
  it("may have its steps in any order, and is the same", () => {
    const flow = Flow.ofDraft({
      slug: "orders",
      input: { id: Schema.String },
      steps: [
        { slug: "join", needs: ["each", "go"], output: Schema.Int },
        { slug: "each", kind: "map", over: "first.lines", output: Schema.Int },
        { slug: "rest", kind: "sleep", duration: "1 day", needs: ["first"] },
        { slug: "send", kind: "job", job: Ship, needs: ["first"] },
        { slug: "go", kind: "waitFor", needs: ["rest"], timeout: "1 day" },
        { slug: "first", output: Order },
      ],
    })
    const same = Flow.make("orders", { input: { id: Schema.String } })
      .step("first", { output: Order })
      .map("each", { over: "first.lines", output: Schema.Int })
      .sleep("rest", "1 day", { needs: ["first"] })
      .job("send", Ship, { needs: ["first"] })
      .waitFor("go", { needs: ["rest"], timeout: "1 day" })
      .step("join", { needs: ["each", "go"], output: Schema.Int })
    assertEquals(flow.definition.version, same.definition.version)
    for (const { slug, needs } of flow.definition.steps) {
      for (const need of needs) assert(flow.steps.indexOf(need) < flow.steps.indexOf(slug))
    }
  })

  it("is refused where its steps need themselves or each other", () => {
    assertEquals(messages({ slug: "a", steps: [{ slug: "b", needs: ["b"] }] }), [
      `Cannot define flow "a": its step "b" needs itself`,
    ])
    const steps = [
      { slug: "start" },
      { slug: "tail", needs: ["z"] },
      { slug: "x", needs: ["start", "z"] },
      { slug: "y", needs: ["x"] },
      { slug: "z", kind: "map", over: "y.list" } as const,
    ]
    assertEquals(messages({ slug: "a", steps }), [
      `Cannot define flow "a": its steps need each other: "z" needs "y" needs "x" needs "z"`,
    ])
  })

  it("has all that is wrong with it listed, once each", () => {
    assertEquals(
      messages({
        slug: "A",
        colour: "red",
        steps: [{ slug: "b" }, { slug: "b" }, { slug: "c", needs: ["d"] }],
      } as Flow.Draft),
      [
        'Cannot define flow "A": slug must be lower-case letters, digits and underscores, not ' +
        'starting with a digit, at most 48 characters, got "A"',
        'Cannot define flow "A": there is no option "colour"',
        'Cannot define flow "A": it has two steps "b"',
        'Cannot define step "c" of flow "A": it needs "d", and there is no such step',
      ],
    )
    const wrong = { slug: "b", maxAttempts: 0, undo: 1 }
    const options = Definition.check([{
      slug: "a",
      steps: [wrong, { slug: "c", needs: ["b"], whenUnmet: "no" }, {
        slug: "d",
        kind: "no" as never,
      }],
    }])
    // Of what needs a step that is wrong nothing is known.
    assertEquals(options.map(({ option }) => option), ["maxAttempts", "undo", "kind"])
    assertStringIncludes(messages({ slug: "a", steps: [] })[0]!, "at least one step")
  })

  it("is not made twice", () => {
    const found = Definition.check([one, { slug: "orders", steps: [{ slug: "a" }] }])
    assertEquals(found.map((problem) => problem.message), [
      'Cannot define flow "orders" twice: slugs must be unique, ignoring case',
    ])
  })
})

describe("the shape of a flow", () => {
  const Text = Schema.String
  const version = (flow: { readonly definition: Flow.Definition }) => flow.definition.version
  const base = Flow.make("shape", { input: { id: Text } })
    .step("a", { output: { x: Text, y: Schema.Date } })
    .step("b", { needs: ["a"], output: Schema.Int })

  it("is the same on every runtime", () => {
    assertEquals(version(base), "f39648cba521beca")
  })

  it("does not depend on options, on orders, nor on what only people read", () => {
    const other = Flow.make("shape", {
      input: { id: Text.annotate({ description: "of the order" }) },
      queue: "others",
      maxAttempts: 5,
      timeout: "1 day",
    })
      .step("a", {
        output: Schema.Struct({ y: Schema.Date, x: Text.annotate({ title: "x" }) }),
        priority: 0,
        startDelay: "1 day",
      })
      .step("b", { needs: ["a"], output: Schema.Int, baseDelay: "1 minute", whenExhausted: "skip" })
    assertEquals(version(other), version(base))
    const [x, y] = [
      Flow.make("o").step("x").step("y").step("z", { needs: ["x", "y"] }),
      Flow.make("o").step("y").step("x").step("z", { needs: ["y", "x"] }),
    ]
    assertEquals(version(x), version(y))
  })

  it("is another one where what is stored means something else", () => {
    const id = Flow.make("shape", { input: { id: Text } })
    const a = id.step("a", { output: { x: Text, y: Schema.Date } })
    const b = { needs: ["a"], output: Schema.Int } as const
    const versions = [
      version(base),
      version(
        Flow.make("shape", { input: { id: Schema.Int } }).step("a", {
          output: { x: Text, y: Schema.Date },
        }).step("b", b),
      ),
      version(a.step("c", b)),
      version(a.step("b", { output: Schema.Int })),
      version(a.step("b", { needs: ["a"], output: Text })),
      version(a.step("b", { ...b, error: Text })),
      version(a.step("b", { ...b, undo: true })),
      version(a.step("b", { ...b, if: { a: { x: "x" } } })),
      version(a.waitFor("b", b)),
      version(
        id.step("a", { output: { x: Schema.optionalKey(Text), y: Schema.Date } }).step("b", b),
      ),
      version(id.step("a", { output: { x: Text, y: Schema.DateFromMillis } }).step("b", b)),
      version(base.step("c")),
    ]
    assertEquals(new Set(versions).size, versions.length)
    for (const one of versions) assert(/^[0-9a-f]{16}$/.test(one!))
  })

  it("tells recursive schemas apart", () => {
    interface Tree {
      readonly value: string
      readonly children: ReadonlyArray<Tree>
    }
    const tree = (name: string) => {
      const made: Schema.Codec<Tree> = Schema.Struct({
        value: Text,
        children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => made)),
      }).annotate({ identifier: name })
      return made
    }
    assertEquals(Shape.formOf(tree("A")), Shape.formOf(tree("B")))
    assert(JSON.stringify(Shape.formOf(tree("A"))) !== JSON.stringify(Shape.formOf(Text)))
  })
})

describe("a flow with its handlers", () => {
  const handlers = { first: () => Effect.succeed(new Order({ lines: [], at: new Date(0) })) }
  const flow = one.waitFor("go").step("charge", { output: Schema.Int, undo: true })
    .job("send", Ship, { needs: ["first"] })
  const ship = Ship.perform(({ first }) => Effect.succeed(first.lines.length))
  const charge = { run: () => Effect.succeed(1), undo: () => Effect.void }
  const perform = (given: unknown) => (flow.perform as (given: unknown) => unknown)(given)

  it("is refused where handlers are missing, or there are others", () => {
    const start = `Cannot give flow "orders" its handlers:`
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [{ charge, send: ship }, `step "first" needs a function of its input`],
      [{ ...handlers, charge: charge.run, send: ship }, `step "charge" needs { run, undo }`],
      [{ ...handlers, charge: { run: charge.run }, send: ship }, `"charge" needs { run, undo }`],
      [{ ...handlers, charge, send: Ship }, `step "send" needs job "ship" handled`],
      [{ ...handlers, charge, send: Job.make("x").perform(() => Effect.void) }, `needs job "ship"`],
      [{ ...handlers, charge, send: ship, no: charge }, `there is no step "no" that takes one`],
      [{ ...handlers, charge, send: ship, go: charge }, `there is no step "go" that takes one`],
    ]
    for (const [given, why] of cases) {
      const message = refusal(() => perform(given))
      assertStringIncludes(message, start)
      assertStringIncludes(message, why)
    }
    const none = `${start} it has no steps`
    assertEquals(refusal(() => untyped(root).perform!({})), none)
  })

  it("finds the handler and the undo of a step, and calls them in a test", async () => {
    const handled = flow.perform({ ...handlers, charge, send: ship })
    assertEquals(handled.handlerFor("first"), handlers.first)
    assertEquals(handled.handlerFor("send"), ship.handler)
    assertEquals([handled.handlerFor("go"), handled.handlerFor("no")], [undefined, undefined])
    assertEquals([handled.undoFor("charge"), handled.undoFor("first")], [charge.undo, undefined])
    const first = await Effect.runPromise(handled.perform("first", { id: "a", list: [] }))
    assertEquals(first.lines, [])
    assertEquals(await Effect.runPromise(handled.perform("send", { first })), 0)
  })

  it("tells a handler that is called in a test what the test says, and else something", async () => {
    const told = root.step("a", { output: Schema.Array(Schema.String) }).perform({
      a: (_, ctx) => Effect.succeed([ctx.flow, ctx.step, String(ctx.attempt), ctx.input.id]),
    })
    const input = { id: "x", list: [] }
    const called = told.perform("a", input, { attempt: 2, input })
    assertEquals(await Effect.runPromise(called), ["orders", "a", "2", "x"])
  })
})
