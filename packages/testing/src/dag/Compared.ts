/**
 * A run of a random flow, compared with what the interpreter says of it.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError, Runs, Task } from "@millrace/core"
import { Effect } from "effect"
import { show } from "../conformance/expect.ts"
import type { Graph, Node, Run } from "./Graph.ts"
import * as Oracle from "./Oracle.ts"
import type { Log } from "./Played.ts"

type Records = ReadonlyArray<Driver.TaskRecord>

/** A run that has ended, with the tasks of its steps. */
interface Ended {
  readonly run: Runs.Run
  readonly tasks: Records
  readonly ran: ReadonlySet<string>
  readonly undone: ReadonlyArray<string>
}

/** Says what is wrong with a run that has ended; `undefined` where nothing is.
 * @category running
 * @since 0.1.0 */
export const compare = Effect.fnUntraced(function* (
  graph: Graph,
  { input, cancelledAfterMillis }: Run,
  id: Runs.Run["id"],
  log: Log,
): Effect.fn.Return<string | undefined, unknown, Driver.Driver> {
  const run = yield* Runs.get(id)
  const tasks = yield* tasksOf(id)
  const ended: Ended = {
    run,
    tasks,
    ran: log.ran.get(id) ?? new Set(),
    undone: log.undone.get(id) ?? [],
  }
  const expected = Oracle.interpret(graph, input)
  const wrong = [
    ...endOf(expected, ended, cancelledAfterMillis !== undefined),
    ...graph.nodes.flatMap((node) => wrongOf(node, expected.fates.get(node.slug)!, ended)),
    ...undoneOf(graph, ended),
  ]
  return wrong.length === 0 ? undefined : `run ${id} with ${show(input)}: ${wrong.join("; ")}`
})

const tasksOf = Effect.fnUntraced(function* (
  id: string,
): Effect.fn.Return<Records, DriverError, Driver.Driver> {
  const driver = yield* Driver.Driver
  return yield* driver.find({ parents: [id], limit: 10_000 })
})

const endOf = (
  { fates, output }: Oracle.Expectation,
  { run }: Ended,
  mayBeCancelled: boolean,
): ReadonlyArray<string> => {
  if (mayBeCancelled && run.state === "cancelled") return []
  if (output === undefined) {
    const why = run.failure?.message ?? ""
    const failing = [...fates].filter(([, { _tag }]) => _tag === "Fails").map(([slug]) => slug)
    return run.state === "failed" && failing.some((slug) => why.includes(`"${slug}"`))
      ? []
      : [`it is ${run.state} (${why}), and should fail at ${failing.join(" or ")}`]
  }
  const actual = run.output === undefined ? undefined : show(JSON.parse(run.output))
  return run.state === "completed" && actual === show(output)
    ? []
    : [`it is ${run.state} with ${actual} (${run.failure?.message}), and not ${show(output)}`]
}

/** What is wrong with a step: its tasks, and whether its handler ran. */
const wrongOf = (node: Node, fate: Oracle.Fate, ended: Ended): ReadonlyArray<string> => {
  const { run, ran } = ended
  const tasks = ended.tasks.filter(({ step }) => step === node.slug)
  const open = tasks.filter(({ state }) => !Task.isTerminal(state))
  const wrong = open.map(({ state }) => `a task of step "${node.slug}" is ${state}`)
  const mayRun = (fate._tag === "Value" || fate._tag === "Skipped" || fate._tag === "Fails") &&
    fate.runs
  if (ran.has(node.slug) && !mayRun) wrong.push(`step "${node.slug}" ran (${fate._tag})`)
  if (fate._tag === "Unreached" && tasks.length > 0) wrong.push(`step "${node.slug}" was started`)
  const states = new Set(tasks.map(({ state }) => state))
  if (run.state !== "completed") {
    // What was under way is cancelled; what has come to an end has come to the right one.
    states.delete("cancelled")
    const all = endsOf(node, fate)
    const odd = [...states].filter((state) => !all.includes(state))
    return [...wrong, ...odd.map((state) => `a task of step "${node.slug}" is ${state}`)]
  }
  if (mayRun && !ran.has(node.slug)) wrong.push(`step "${node.slug}" did not run`)
  return [...wrong, ...exactly(node, fate, tasks)]
}

const endsOf = (node: Node, fate: Oracle.Fate): ReadonlyArray<Task.State> => {
  const map = node.kind === "map"
  switch (fate._tag) {
    case "Value":
      return map && node.onFailure !== "fail" ? ["completed", "failed"] : ["completed"]
    case "Skipped":
      return fate.why === "Exhausted" && map ? ["completed", "failed"] : ["skipped"]
    case "Fails":
      return map ? ["completed", "failed"] : ["failed"]
    case "Unreached":
      return []
  }
}

/** What is wrong with a step of a run that completed. */
const exactly = (node: Node, fate: Oracle.Fate, tasks: Records): ReadonlyArray<string> => {
  const { slug } = node
  if (fate._tag === "Skipped") {
    const reasons = tasks.map(({ history }) => history.at(-1)?.failure?.reason)
    if (fate.why === "Exhausted") {
      const spent = tasks.some(({ state }) => state === "skipped" || state === "failed")
      return spent ? [] : [`step "${slug}" was not tried in vain`]
    }
    return tasks.length === 1 && tasks[0]!.state === "skipped" && reasons[0] === fate.why
      ? []
      : [`step "${slug}" is not skipped for ${fate.why}, but for ${reasons.join(", ")}`]
  }
  if (fate._tag !== "Value") return [`step "${slug}" should not let the run complete`]
  if (node.kind === "map") return elementsOf(node, fate.value as ReadonlyArray<unknown>, tasks)
  const output = tasks[0]?.history.at(-1)?.output
  return tasks.length === 1 && show(JSON.parse(output ?? "null")) === show(fate.value ?? null)
    ? []
    : [`step "${slug}" has ${tasks.length} tasks and came to ${output}, not ${show(fate.value)}`]
}

const elementsOf = (
  { slug, onFailure }: Node,
  value: ReadonlyArray<unknown>,
  tasks: Records,
): ReadonlyArray<string> => {
  const elements = [...tasks].sort((a, b) => a.index - b.index).filter(({ index }) => index >= 0)
  const outputs = elements.flatMap(({ state, history }) =>
    state === "completed" ? [JSON.parse(history.at(-1)!.output!)] : []
  )
  const wanted = onFailure === "collect"
    ? value.flatMap((one) => {
      const result = one as { readonly _tag: string; readonly value: unknown }
      return result._tag === "Success" ? [result.value] : []
    })
    : value
  return show(outputs) === show(wanted)
    ? []
    : [`map "${slug}" came to ${show(outputs)}, not ${show(wanted)}`]
}

/** What completed is undone if the run did not complete, the newest first; and nothing else is. */
const undoneOf = (graph: Graph, { run, tasks, undone }: Ended): ReadonlyArray<string> => {
  const undoable = new Set(graph.nodes.filter(({ undo }) => undo).map(({ slug }) => slug))
  const done = run.state === "completed" ? [] : tasks
    .filter(({ step, state, index }) => undoable.has(step) && state === "completed" && index >= 0)
  const names = new Map(done.map((task) => [`${task.step} ${task.index}`, endedAt(task)]))
  const wrong = undone.filter((name) => !names.has(name)).map((name) => `${name} was undone`)
  const left = [...names.keys()].filter((name) => !undone.includes(name))
  const order = undone.filter((name, index) =>
    index > 0 && names.get(undone[index - 1]!)! < names.get(name)!
  )
  return [
    ...wrong,
    ...left.map((name) => `${name} was not undone`),
    ...order.map((name) => `${name} was undone too late`),
  ]
}

const endedAt = ({ history }: Driver.TaskRecord): number => history.at(-1)?.at ?? 0
