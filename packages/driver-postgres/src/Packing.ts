/**
 * Rows that travel packed: what many of them have in common is sent once, and the rest as one text
 * for each column. A client spends more on a cell than the server does on making it.
 *
 * @since 0.1.0
 */
import type { Row } from "./Connection.ts"

/**
 * The columns of packed rows, each with the SQL that makes it. A column of its own must be a text
 * and free of the unit separator (U+001F), as JSON, numbers and ids are; NULL in one row means NULL
 * in all rows that are packed with it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Columns {
  readonly shared: Readonly<Record<string, string>>
  readonly own: Readonly<Record<string, string>>
}

/** No text that PostgreSQL makes of JSON, numbers or ids has it. */
const separator = "\u001f"

/** Rows are packed by so many, which bounds how long a text gets. */
const perPack = 64

/**
 * The SELECT that packs the rows of `from`, of which `nth` numbers them from 1.
 *
 * @category statements
 * @since 0.1.0
 */
export const pack = ({ shared, own }: Columns, from: string): string => {
  const keys = Object.values(shared)
  const texts = Object.values(own).map((sql) => `string_agg(${sql}, E'\\x1f')`)
  return `
select ${[...keys, ...texts, "string_agg(nth::text, E'\\x1f')"].join(", ")}
from ${from}
group by ${keys.join(", ")}, (nth - 1) / ${perPack}`
}

/** The names of the columns of an answer of `pack`, in their order.
 * @category statements
 * @since 0.1.0 */
export const namesOf = ({ shared, own }: Columns): ReadonlyArray<string> => [
  ...Object.keys(shared),
  ...Object.keys(own),
  "nth",
]

/** The texts of the rows that are packed into one, by column; NULL in all of them is `undefined`.
 * @category models
 * @since 0.1.0 */
export type Texts<Name extends string> = Readonly<Record<Name, ReadonlyArray<string> | undefined>>

/**
 * Unpacks rows, in their order: `read` is given the row that is shared and the texts of the others,
 * and then reads each by its place among these.
 *
 * @category conversions
 * @since 0.1.0
 */
export const unpack = <const Name extends string, A>(
  rows: ReadonlyArray<Row>,
  own: ReadonlyArray<Name>,
  read: (shared: Row, texts: Texts<Name>) => (place: number) => A,
): ReadonlyArray<A> => {
  const all: Array<A> = []
  for (const row of rows) {
    const texts = {} as Record<Name, ReadonlyArray<string> | undefined>
    for (const name of own) texts[name] = (row[name] as string | null)?.split(separator)
    const readOne = read(row, texts)
    const numbers = (row.nth as string).split(separator)
    for (let place = 0; place < numbers.length; place++) {
      all[Number(numbers[place]) - 1] = readOne(place)
    }
  }
  return all
}
