import { Cause, Logger, References } from "effect"

/**
 * Writes each log entry as one line to stderr, so that on stdout there is only what the example
 * itself has to say.
 */
export const logLines = Logger.layer([
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const facts = Object.entries(annotations).map(([name, value]) => ` ${name}=${value}`).join("")
    const text = [message].flat().map(String).join(" ")
    const why = cause.reasons.length === 0 ? "" : `: ${Cause.prettyErrors(cause)[0]?.message}`
    console.error(`${date.toISOString().slice(11, 23)} ${logLevel}: ${text}${why}${facts}`)
  }),
])
