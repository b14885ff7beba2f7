/**
 * The spans of attempts: one each, where a tracer listens.
 */
import {
  type Clock,
  Context,
  Effect,
  type Exit,
  LogLevel,
  Option,
  References,
  Tracer,
} from "effect"
import type { ClaimedTask } from "../../Driver.ts"
import type * as Flow from "../../Flow.ts"

// What `Effect.withSpan` does, but for the stack trace of a call that is always the same, and for
// the effects around the handler: they cost as much as all else of a short attempt.
export class Spans {
  readonly #tracer: Tracer.Tracer
  readonly #clock: Clock.Clock
  readonly #timed: boolean
  readonly #sampled: boolean
  readonly #attributes: ReadonlyArray<readonly [string, unknown]>
  readonly #links: ReadonlyArray<Tracer.SpanLink>
  readonly #annotations = Context.empty()
  readonly #context: Context.Context<never>
  #warned = false

  constructor(context: Context.Context<never>, clock: Clock.Clock, tracer: Tracer.Tracer) {
    this.#context = context
    this.#tracer = tracer
    this.#clock = clock
    this.#timed = Context.get(context, References.TracerTimingEnabled)
    this.#attributes = Object.entries(Context.get(context, References.TracerSpanAnnotations))
    this.#links = Context.get(context, References.TracerSpanLinks)
    this.#sampled = !LogLevel.isGreaterThan(
      Context.get(context, Tracer.MinimumTraceLevel),
      Context.get(context, Tracer.CurrentTraceLevel),
    )
  }

  /** Begins the span of an attempt; there is none where the tracer throws. */
  begin(task: ClaimedTask, policy: Flow.Policy): Tracer.Span | undefined {
    return this.#guarded(() => this.#spanOf(task, policy))
  }

  end(span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void {
    this.#guarded(() => {
      if (span.status._tag !== "Ended") span.end(this.#now, exit)
    })
  }

  #spanOf(task: ClaimedTask, policy: Flow.Policy): Tracer.Span {
    const parent = parentOf(task.trace)
    const span = this.#tracer.span({
      name: `job ${task.flow}`,
      parent,
      annotations: this.#annotations,
      links: [...this.#links],
      startTime: this.#now,
      kind: "consumer",
      root: false,
      sampled: Option.isSome(parent) && !parent.value.sampled ? false : this.#sampled,
    })
    for (const [name, value] of this.#attributes) span.attribute(name, value)
    span.attribute("millrace.run", task.runId)
    span.attribute("millrace.queue", task.queue)
    span.attribute("millrace.attempt", task.failures + 1)
    span.attribute("millrace.max_attempts", policy.maxAttempts)
    return span
  }

  // Whoever watches must not cost the worker, or an attempt, anything.
  #guarded<A>(run: () => A): A | undefined {
    try {
      return run()
    } catch (error) {
      if (!this.#warned) {
        const name = error instanceof Error ? error.name : typeof error
        Effect.runForkWith(this.#context)(
          Effect.logWarning(`The tracer throws (${name}): attempts of this worker lack spans`),
        )
      }
      this.#warned = true
      return undefined
    }
  }

  get #now(): bigint {
    return this.#timed ? this.#clock.currentTimeNanosUnsafe() : 0n
  }
}

/** The spans, where anybody listens. */
export const listening = (
  context: Context.Context<never>,
  clock: Clock.Clock,
): Spans | undefined => {
  const tracer = Context.get(context, Tracer.Tracer)
  return tracer === Tracer.nativeTracer || !Context.get(context, References.TracerEnabled)
    ? undefined
    : new Spans(context, clock, tracer)
}

// https://www.w3.org/TR/trace-context/#traceparent-header
const parentOf = (traceparent: string | undefined): Option.Option<Tracer.AnySpan> => {
  const [, traceId, spanId, flags] = traceparent?.split("-") ?? []
  return traceId === undefined || spanId === undefined
    ? Option.none()
    : Option.some(Tracer.externalSpan({ traceId, spanId, sampled: flags === "01" }))
}
