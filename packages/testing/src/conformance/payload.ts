/**
 * Cases of values that must come back as they were given.
 *
 * @since 0.1.0
 */
import { equal, equalJson, that } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed, failed, failure } from "./outcomes.ts"

const nested = (depth: number) => "[".repeat(depth) + "1" + "]".repeat(depth)

const big = (bytes: number) => JSON.stringify("x".repeat(bytes - 2))

/** JSON texts by what is special in them. */
const values: ReadonlyArray<readonly [what: string, text: string]> = [
  ["The number 0", "0"],
  ["An empty string", `""`],
  ["The value false", "false"],
  ["The value null", "null"],
  ["An empty array", "[]"],
  ["An empty object", "{}"],
  ["The string null", `"null"`],
  ["Text in many scripts", JSON.stringify("Ünïcödé 漢字 עברית العربية é 👩‍👩‍👧‍👦 \u2028\u2029")],
  ["Text with control characters", JSON.stringify("\t\n\r\b\f\u0001\u001f\u007f")],
  ["Text with quotes and backslashes", JSON.stringify(`'"\\\\'';"'\`$$ \\u0000 \\x00 \\' E'\\n'`)],
  ["Text that looks like parameters", JSON.stringify("$1 $2 ? :name @p1 %s {0} ${x}")],
  ["Text that looks like SQL", JSON.stringify("'; drop table tasks; -- /* */")],
  ["Text that looks like an array literal", JSON.stringify(`{a,"b",NULL,{},""}`)],
  ["A list of texts that look like NULL", JSON.stringify(["NULL", "null", "", "\\N", "undefined"])],
  ["A list with commas and braces", JSON.stringify(["a,b", "{c}", "(d,)", "[e]", `"f"`])],
  ["A list of nulls", '[null, [null], {"a": null}]'],
  ["Numbers at the edges", "[9007199254740991, -9007199254740991, 1e308, 5e-324, -0.1, 0.1, 1E+2]"],
  ["A deep value", nested(200)],
  ["A wide value", JSON.stringify(Object.fromEntries(nested(500).split("").entries()))],
  ["A value with a key constructor", `{"constructor":{"prototype":{"a":1}},"prototype":1}`],
  ["A value with a key __proto__", `{"__proto__":{"polluted":true},"a":1}`],
  ["A value with odd keys", JSON.stringify({ "": 1, " ": 2, "'": 3, '"': 4, "$": 5, "a.b": 6 })],
  ["A list of 10,000 numbers", JSON.stringify(Array.from({ length: 10_000 }, (_, index) => index))],
  ["A text of 1 MiB, the most,", big(1024 * 1024)],
]

const inputCases = values.map(([what, text]) =>
  scene(`${what} survives as an input`, function* (stage) {
    const task = yield* stage.claimed({ input: text })
    equalJson(task.input, text, "The claimed input")
    equalJson((yield* stage.read(task.id)).input, text, "The stored input")
  })
)

const outputCases = values.map(([what, text]) =>
  scene(`${what} survives as an output`, function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, completed(text))
    equalJson((yield* stage.read(task.id)).history[0]?.output, text, "The stored output")
  })
)

const errorCases = values.slice(0, -1).map(([what, text]) =>
  scene(`${what} survives as a typed error`, function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, failed(0, failure("no luck", text)))
    const stored = (yield* stage.read(task.id)).history[0]?.failure
    equalJson(stored?.error, text, "The stored error")
  })
)

/** Cases of values that must come back as they were given.
 * @category cases
 * @since 0.1.0 */
export const payloadCases: ReadonlyArray<Case> = [
  ...inputCases,
  ...outputCases,
  ...errorCases,

  scene("All values survive in one batch, each with its own task", function* (stage) {
    const small = values.filter(([, text]) => text.length < 1000)
    yield* stage.insert(small.map(([, input], index) => stage.newTask({ input, index })))
    const claimed = yield* stage.claim(yield* stage.worker(), 100)
    equal(claimed.length, small.length, "The claimed tasks")
    for (const { index, input } of claimed) equalJson(input, small[index]![1], small[index]![0])
  }),

  scene("The line of a failure survives, whatever it says", function* (stage) {
    const odd = ["", `it's "so" \\ $1 {NULL,a}`, "漢字 👩‍👩‍👧‍👦", "a\nb\tc", "null"]
    const lines = [...odd, "x".repeat(10_000)]
    const id = yield* stage.insertOne({ maxAttempts: 99 })
    const worker = yield* stage.worker()
    for (const line of lines) yield* stage.attempt(worker, failed(0, failure(line)))
    const { history } = yield* stage.read(id)
    equal(history.map((entry) => entry.failure?.message), lines, "The lines")
  }),

  scene("The reason of a cancel survives, whatever it says", function* (stage) {
    const reason = `it's "so" \\ $1 {NULL,a} 漢字\n`
    const id = yield* stage.insertOne()
    yield* stage.happen([id], { _tag: "CancelRequested", reason })
    equal((yield* stage.read(id)).history[0]?.failure?.message, reason, "The reason")
  }),

  scene("A key __proto__ reaches no prototype", function* (stage) {
    const task = yield* stage.claimed({ input: `{"__proto__":{"polluted":true}}` })
    yield* stage.settle(task, completed(`{"__proto__":{"polluted":true}}`))
    yield* stage.read(task.id)
    that(!("polluted" in {}), "No prototype is polluted")
  }),

  scene("Outputs of one batch stay with their tasks", function* (stage) {
    yield* stage.insert(stage.newTasks(20))
    const tasks = yield* stage.claim(yield* stage.worker(), 20)
    for (const task of tasks.toReversed()) {
      yield* stage.settle(task, completed(JSON.stringify(task.id)))
    }
    for (const { id, history } of yield* stage.readAll()) {
      equal(JSON.parse(history[0]!.output!), id, "The output")
    }
  }),
]
