/**
 * The span around an enqueue, as the header `traceparent` of W3C names it.
 */
import { Context, Tracer } from "effect"

export const traceparentOf = (context: Context.Context<never>): string | undefined => {
  const span = Context.getOrUndefined(context, Tracer.ParentSpan)
  return span !== undefined && /^[0-9a-f]{32}$/.test(span.traceId) &&
      /^[0-9a-f]{16}$/.test(span.spanId)
    ? `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`
    : undefined
}
