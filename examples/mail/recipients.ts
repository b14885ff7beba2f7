import { Effect, Predicate, Result, Schema } from "effect"
import { parse } from "csv-parse/sync"
import { readFile } from "node:fs/promises"

/** One person to write to: a row of the CSV file that passed its checks. */
export const Recipient = Schema.Struct({
  email: Schema.String.check(
    Schema.isPattern(/^[^\s@,<>]+@[^\s@,<>]+\.[^\s@,<>]+$/, { expected: "an email address" }),
  ),
  name: Schema.NonEmptyString,
  plan: Schema.Literals(["free", "team", "business"]),
})
export type Recipient = typeof Recipient.Type

/** A row that names nobody to write to. It is reported with its line, so that it is not lost. */
export interface BadRow {
  /** Where the row ends: a quoted field may hold line breaks, an open quote swallows the rest. */
  readonly line: number
  readonly reason: string
}

export interface Recipients {
  readonly recipients: ReadonlyArray<Recipient>
  readonly badRows: ReadonlyArray<BadRow>
}

/** The file as a whole cannot be read; a single wrong row is a `BadRow` instead. */
export class RecipientsUnreadable extends Schema.TaggedError<RecipientsUnreadable>()(
  "RecipientsUnreadable",
  { path: Schema.String, reason: Schema.String },
) {
  override get message() {
    return `Cannot read recipients from "${this.path}": ${this.reason}`
  }
}

/** Reads the recipients of a CSV file with the columns `email`, `name` and `plan`. */
export const readRecipients = Effect.fn("Recipients.read")(function* (path: string) {
  const text = yield* Effect.tryPromise({
    try: (signal) => readFile(path, { encoding: "utf8", signal }),
    catch: (error) => new RecipientsUnreadable({ path, reason: reasonOf(error) }),
  })
  return yield* Effect.try({
    try: () => parseRecipients(text),
    catch: (error) => new RecipientsUnreadable({ path, reason: reasonOf(error) }),
  })
})

/** Splits CSV text into recipients and bad rows; no row goes missing between the two. */
export const parseRecipients = (text: string): Recipients => {
  const { rows, reasons } = parseRows(text)
  const recipients: Array<Recipient> = []
  for (const { line, row } of rows) {
    const decoded = decodeRow(row, { errors: "all" })
    if (Result.isSuccess(decoded)) recipients.push(decoded.success)
    else reasons.set(line, reasonOf(decoded.failure))
  }
  const badRows = Array.from(reasons, ([line, reason]) => ({ line, reason }))
  return { recipients, badRows: badRows.sort((a, b) => a.line - b.line) }
}

const decodeRow = Schema.decodeUnknownResult(Recipient)

interface Row {
  readonly line: number
  readonly row: unknown
}

const parseRows = (text: string) => {
  const rows: Array<Row> = []
  const reasons = new Map<number, string>()
  parse(text, {
    bom: true,
    columns: true,
    trim: true,
    skip_empty_lines: true,
    // A row with a comma too many or a stray quote must not cost the rows after it.
    skip_records_with_error: true,
    on_skip: (error) => {
      const line = Predicate.isNumber(error?.lines) ? error.lines : 0
      // One broken row can raise several errors, and the first one says what is wrong.
      if (!reasons.has(line)) reasons.set(line, reasonOf(error))
      return undefined
    },
    on_record: (row: unknown, { lines }) => {
      rows.push({ line: lines, row })
      return null
    },
  })
  return { rows, reasons }
}

// Reasons end up in a summary, one line each.
const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().replace(/\n(?=\S)/g, "; ").replace(/\s+/g, " ")
}
