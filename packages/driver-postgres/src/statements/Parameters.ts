/**
 * Rows as parameters: one text for each column, and one for the value that all rows share.
 *
 * @since 0.1.0
 */
import { arrayLiteral, type Element } from "../ArrayLiteral.ts"

/**
 * The columns of the rows that a statement is given, with their SQL types.
 *
 * @category models
 * @since 0.1.0
 */
export type Columns = Readonly<Record<string, string>>

/**
 * A statement's rows: how it reads them, and how they are sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rows<C extends Columns> {
  /** The FROM entry: an `unnest` called `n`, which keeps the order, and the one row `shared`. */
  readonly from: string
  /** The SQL that reads a column of the current row. */
  readonly read: Readonly<Record<keyof C, string>>
  /** The SQL of an array of a column's values, those that all rows share among them. */
  readonly all: Readonly<Record<keyof C, string>>
  /** Writes the rows' parameters. */
  readonly encode: <A>(
    rows: ReadonlyArray<A>,
    values: Readonly<Record<keyof C, (row: A) => Element>>,
  ) => Array<string | null>
}

/**
 * Declares the rows of a statement, whose parameters begin at `$first`.
 *
 * **Details**
 *
 * The first column, the id, takes one parameter, an array. Each other takes two: an array, and a
 * value that stands for all rows where they agree, so that what a batch shares is sent and parsed
 * once. The array is then empty, and `unnest` fills it up with NULL.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rows = <const C extends Columns>(first: number, columns: C): Rows<C> => {
  const [id, ...names] = Object.keys(columns) as [keyof C & string, ...Array<keyof C & string>]
  const arrayAt = (index: number) => `$${first + 1 + 2 * index}`
  const sharedAt = (index: number) => `$${first + 2 + 2 * index}`
  const arrays = [
    `$${first}::text::${columns[id]}[]`,
    ...names.map((name, index) => `${arrayAt(index)}::text::${columns[name]}[]`),
  ]
  const reads = names.map((name) => [name, `coalesce(n.${name}, shared.${name})`] as const)
  // Read once, and not again for each row.
  const shared = names.map((name, index) => `${sharedAt(index)}::text::${columns[name]} as ${name}`)
  return {
    from: `(select ${shared.join(", ")} offset 0) as shared
    cross join unnest(${arrays.join(", ")}) as n(${[id, ...names].join(", ")})`,
    read: Object.fromEntries([[id, `n.${id}`], ...reads]) as Record<keyof C, string>,
    all: Object.fromEntries([
      [id, arrays[0]!],
      ...names.map((name, index) =>
        [name, `${arrays[index + 1]} || ${sharedAt(index)}::text::${columns[name]}`] as const
      ),
    ]) as Record<keyof C, string>,
    encode: (given, values) => [
      arrayLiteral(given.map(values[id])),
      ...names.flatMap((name) => encodeColumn(given, values[name])),
    ],
  }
}

const encodeColumn = <A>(
  rows: ReadonlyArray<A>,
  value: (row: A) => Element,
): [string, string | null] => {
  const shared = rows.length === 0 ? undefined : value(rows[0]!)
  // Most columns hold one value, and no array is made of them.
  for (let index = 1; index < rows.length; index++) {
    if (value(rows[index]!) !== shared) return [arrayLiteral(rows.map(value)), null]
  }
  return ["{}", shared === null || shared === undefined ? null : String(shared)]
}

/** The SQL of the current instant: the given one (milliseconds), or else the database's own.
 * @category constructors
 * @since 0.1.0 */
export const nowOf = (parameter: string): string =>
  `coalesce(${instantOf(parameter)}, date_trunc('milliseconds', clock_timestamp()))`

/** The SQL of the instant that a parameter gives in milliseconds since 1970.
 * @category constructors
 * @since 0.1.0 */
export const instantOf = (sql: string): string =>
  `timestamptz 'epoch' + ${sql}::float8 * interval '1 millisecond'`

/** The SQL that reads an instant in milliseconds since 1970.
 * @category constructors
 * @since 0.1.0 */
export const millisOf = (sql: string): string => `round(date_part('epoch', ${sql}) * 1000)::float8`
