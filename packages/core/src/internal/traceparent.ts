/**
 * The span around an enqueue, as the header `traceparent` of W3C names it.
 */
import { Effect, Option, Tracer } from "effect"

export const traceparent = Effect.map(
  Effect.serviceOption(Tracer.ParentSpan),
  Option.match({
    onNone: () => undefined,
    onSome: (span) =>
      /^[0-9a-f]{32}$/.test(span.traceId) && /^[0-9a-f]{16}$/.test(span.spanId)
        ? `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`
        : undefined,
  }),
)
