/**
 * The attempts that run: one fiber each.
 */
import { Clock, Context, Effect, Exit, Latch, Random, References, Scope, Tracer } from "effect"
import type { Fiber } from "effect"
import { AttemptContext } from "../../AttemptContext.ts"
import type { ClaimedTask, Driver } from "../../Driver.ts"
import type * as Flow from "../../Flow.ts"
import type { Outcome } from "../../Outcome.ts"
import type { TaskId } from "../../Task.ts"
import { register } from "../completions.ts"
import { transition } from "../../Transition.ts"
import { Deadlines } from "./Deadlines.ts"
import { monotonicMillis } from "./Monotonic.ts"
import * as Outcomes from "./Outcomes.ts"
import type { Catalogue, Served } from "./Served.ts"
import type { Session } from "./Session.ts"
import * as Spans from "./Spans.ts"

/** A claimed task, and the session that holds it at a place. */
export interface Held {
  readonly task: ClaimedTask
  readonly session: Session
  readonly place: number
}

/** What waits for a place. */
export interface Claimed extends Held {
  /** From when on it is too late to begin it, by the worker's own clock and a little early. */
  readonly beginsBefore: number
}

/** An attempt that ended, or never began, with what it came to. */
export interface Ended extends Held {
  readonly outcome: Outcome
  /** `undefined` where the handler never began. */
  readonly elapsedMillis: number | undefined
  /** The policy of the worker's own definition, where it knows the job. */
  readonly policy: Flow.Policy | undefined
}

/** An attempt that has not ended yet. */
interface Running extends Held {
  readonly served: Served
  readonly startedAt: number
  ending: Outcomes.Ending | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  span: Tracer.Span | undefined
}

/** What the attempts report. */
export interface Reports {
  /** An attempt ended and is to be settled. */
  readonly ended: (ended: Ended) => void
  /** A place in a queue is free again, whether or not there is something to settle. */
  readonly freed: (queue: string) => void
  /** An attempt has said how far it is. */
  readonly progressed: () => void
  /** A handler goes on long after it was interrupted. */
  readonly overdue: (held: Held) => void
}

/** How long a handler may take to end after it was interrupted before the worker warns. */
const overdueMillis = 10_000

/** How long until a worker that knows the job may find a task that this worker does not. */
const unknownJobMillis = 60_000

export class Attempts {
  // A task can be here twice: it was lost, is not known to be yet, and was claimed again.
  readonly #running = new Set<Running>()
  readonly #served: Catalogue
  readonly #driver: Driver["Service"]
  readonly #reports: Reports
  readonly #context: Context.Context<never>
  readonly #annotations: Readonly<Record<string, unknown>>
  readonly #annotated: boolean
  readonly #clock: Clock.Clock
  readonly #random: { nextDoubleUnsafe(): number }
  readonly #spans: Spans.Spans | undefined
  readonly #idle = Latch.makeUnsafe(true)
  readonly deadlines: Deadlines<Running>

  constructor(
    driver: Driver["Service"],
    served: Catalogue,
    context: Context.Context<never>,
    reports: Reports,
  ) {
    this.#driver = driver
    this.#served = served
    this.#reports = reports
    // A handler gets neither the worker's scope nor the span in which the worker was built.
    this.#context = Context.omit(Scope.Scope, Tracer.ParentSpan)(
      context as Context.Context<Scope.Scope | Tracer.ParentSpan>,
    )
    this.#annotations = Context.get(context, References.CurrentLogAnnotations)
    this.#annotated = Object.keys(this.#annotations).length > 0
    this.#clock = Context.get(context, Clock.Clock)
    this.#random = Context.get(context, Random.Random)
    this.#spans = Spans.listening(context, this.#clock)
    this.deadlines = new Deadlines(this.#clock, (running) => this.#onDue(running))
  }

  get size(): number {
    return this.#running.size
  }

  /** Waits until nothing runs. */
  readonly idle: Effect.Effect<void> = Effect.suspend(() => this.#idle.await)

  /** Starts an attempt at an instant; answers whether it is still running when this returns. */
  start(held: Held, now: number): boolean {
    const served = this.#served(held.task)
    if (served === undefined) {
      // Another worker may know the job: the task goes back, and this attempt never was.
      const outcome: Outcome = { _tag: "Snoozed", delayMillis: unknownJobMillis }
      this.#reports.ended({ ...held, outcome, elapsedMillis: undefined, policy: undefined })
      return false
    }
    const { policy } = served
    const input = served.input.decode(held.task.input)
    if (!input.ok) {
      const outcome = Outcomes.ofUndecodable(input.reason)
      this.#reports.ended({ ...held, outcome, elapsedMillis: undefined, policy })
      return false
    }
    const running: Running = {
      task: held.task,
      session: held.session,
      place: held.place,
      served,
      startedAt: now,
      ending: undefined,
      fiber: undefined,
      span: undefined,
    }
    const fiber = this.#fork(running, input.value)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      this.#onExit(running, exit)
      return false
    }
    running.fiber = fiber
    this.#running.add(running)
    this.#idle.closeUnsafe()
    this.deadlines.add(running, policy.timeoutMillis)
    fiber.addObserver((exit) => {
      this.#running.delete(running)
      this.deadlines.remove(running, policy.timeoutMillis)
      this.deadlines.remove(running, overdueMillis)
      this.#onExit(running, exit)
      this.#reports.freed(held.task.queue)
      if (this.#running.size === 0) this.#idle.openUnsafe()
    })
    return true
  }

  /** Interrupts an attempt whose lease is lost; nothing of it will be written. */
  lose(id: TaskId, lease: number): void {
    for (const running of this.#running) {
      const { task } = running
      if (task.id === id && task.lease === lease) this.#interrupt(running, "lost")
    }
  }

  /** Interrupts everything that still runs, and gives it back. */
  interruptAll(): void {
    for (const running of this.#running) {
      if (running.ending === undefined) this.#interrupt(running, "shutdown")
    }
  }

  #fork(running: Running, input: unknown): Fiber.Fiber<unknown, unknown> {
    const { served, task } = running
    const annotations = this.#annotated
      ? { ...this.#annotations, ...annotationsOf(task) }
      : annotationsOf(task)
    let context = Context.add(this.#context, References.CurrentLogAnnotations, annotations)
    let effect: Effect.Effect<unknown, unknown, any>
    if (served.answer !== undefined) {
      effect = Effect.suspend(() => served.answer!(this.#driver, task))
    } else if (served.runInput !== undefined) {
      effect = Effect.flatMap(served.runInput(this.#driver, task), (runInput) => {
        const ctx = this.#factsOf(running, runInput)
        return Effect.provideService(served.handler(input, ctx), AttemptContext, ctx)
      })
    } else {
      const ctx = this.#factsOf(running, input)
      context = Context.add(context, AttemptContext, ctx)
      // Also a handler that throws before it answers an effect is a defect of this attempt.
      effect = Effect.suspend(() => served.handler(input, ctx))
    }
    if (this.#spans !== undefined) {
      const span = this.#spans.begin(task, served.policy)
      running.span = span
      if (span !== undefined) context = Context.add(context, Tracer.ParentSpan, span)
    }
    return Effect.runForkWith(context)(effect as Effect.Effect<unknown, unknown>)
  }

  /** The facts, which also stand for the attempt where its handler finishes it. */
  #factsOf(running: Running, input: unknown): AttemptContext["Service"] {
    const { task, session, place, served } = running
    const { progressed } = this.#reports
    const progress = (fraction: number, note?: string) =>
      Effect.sync(() => session.report(task, place, fraction, note) && progressed())
    return register(factsOf(running, input, progress), {
      change: (output) => {
        const encoded = served.output.encode(output)
        if (!encoded.ok) return encoded
        const outcome: Outcome = { _tag: "Completed", output: encoded.value }
        const elapsedMillis = this.#elapsedMillis(running)
        const event = { _tag: "AttemptEnded", lease: task.lease, outcome, elapsedMillis } as const
        return { ok: true, value: transition(task, event)! }
      },
      // What is settled is not held any more: the next heartbeat must not call it lost.
      stored: () => session.release(task, place),
      state: "open",
    })
  }

  #elapsedMillis({ startedAt }: Running): number {
    return Math.max(0, Math.round(monotonicMillis(this.#clock) - startedAt))
  }

  #onDue(running: Running): void {
    if (running.ending === undefined) {
      this.deadlines.add(running, overdueMillis)
      this.#interrupt(running, "timeout")
    } else {
      this.#reports.overdue(running)
    }
  }

  #interrupt(running: Running, ending: Outcomes.Ending): void {
    // A lost lease outweighs every other reason: then nothing may be written.
    if (running.ending === undefined || ending === "lost") running.ending = ending
    running.fiber?.interruptUnsafe()
  }

  #onExit(running: Running, exit: Exit.Exit<unknown, unknown>): void {
    const { task, session, place, served, ending, span } = running
    if (span !== undefined) this.#spans!.end(span, exit)
    if (ending === "lost") {
      session.release(task, place)
      return
    }
    const outcome = Outcomes.ofExit(exit, {
      served,
      attempt: task.failures + 1,
      ending,
      random: Exit.isSuccess(exit) ? 0 : this.#random.nextDoubleUnsafe(),
    })
    const elapsedMillis = this.#elapsedMillis(running)
    this.#reports.ended({ task, session, place, outcome, elapsedMillis, policy: served.policy })
  }
}

/** What every log of an attempt carries. */
export const annotationsOf = (
  { flow, flowType, runId: run, failures, queue, step }: ClaimedTask,
): Readonly<Record<string, unknown>> => {
  const attempt = failures + 1
  return flowType === "job"
    ? { job: flow, run, attempt, queue }
    : { flow, step, run, attempt, queue }
}

const factsOf = (
  { task, served }: Running,
  input: unknown,
  progress: AttemptContext["Service"]["progress"],
) =>
  AttemptContext.of({
    runId: task.runId,
    taskId: task.id,
    flow: task.flow,
    step: served.step,
    index: task.index,
    attempt: task.failures + 1,
    maxAttempts: served.policy.maxAttempts,
    queue: task.queue,
    fence: task.lease,
    enqueuedAt: task.enqueuedAt,
    input,
    progress,
  })
