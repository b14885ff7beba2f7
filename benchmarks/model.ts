/** What every part of the benchmark speaks of. */

/** The input of a job: its number, and a text that makes it 100 bytes of JSON. */
export interface Payload {
  readonly n: number
  readonly text: string
}

/** Makes the input of job `n`. */
export const payloadOf = (n: number): Payload => ({
  n,
  text: "x".repeat(100 - '{"n":,"text":""}'.length - String(n).length),
})

/** What jobs are for: to be run now, for nobody who works here, or for tomorrow. */
export type Kind = "due" | "other" | "future"

/** How to work. */
export interface WorkOptions {
  readonly concurrency: number
  /** Whether somebody listens to spans. */
  readonly traced: boolean
}

/** A worker that runs. */
export interface Working {
  /** Ends when everything that ran is written, and the worker has gone. */
  readonly stop: () => Promise<void>
}

/** A contestant's connection to its tables. What it cannot do, it leaves out. */
export interface Session {
  readonly enqueue: (payload: Payload) => Promise<unknown>
  /** Up to 1,000 in one statement. */
  readonly enqueueMany?: (payloads: ReadonlyArray<Payload>, kind: Kind) => Promise<unknown>
  /** In a transaction together with a row in `orders`. */
  readonly enqueueWithin?: (payload: Payload) => Promise<unknown>
  readonly work?: (run: (payload: Payload) => void, options: WorkOptions) => Promise<Working>
  readonly close: () => Promise<void>
}

/** A queue, in its fastest sensible configuration. */
export interface Contestant {
  /** How it is set up, for the report. */
  readonly configuration: string
  /** Creates its tables in an empty database. */
  readonly setup: (url: string) => Promise<void>
  readonly open: (url: string) => Promise<Session>
  /** SQL that counts what waits or runs, and what ended and was kept (`undefined`: nothing is). */
  readonly waiting: string
  readonly history: string | undefined
}

/** The table that `enqueueWithin` writes to as well. */
export const orders = "create table orders (id int primary key)"

/** One measurement. */
export interface Sample {
  readonly value: number
  readonly jobs?: number
  /** CPU seconds of all its processes, and of the server's where they could be seen. */
  readonly workerCpu?: number
  readonly serverCpu?: number | undefined
  readonly walBytes?: number
}

/** What was measured of one contestant: one sample a round. */
export interface Series {
  readonly name: string
  readonly unit: "jobs/s" | "ms" | "queries/s" | "MB" | "ratio" | "cores"
  readonly samples: ReadonlyArray<Sample>
}

/** What is to be reached. */
export interface Requirement {
  readonly must: string
  readonly aim?: string
  /** The figure to compare, where everything that it takes was measured. */
  readonly measured: (median: (name: string) => number | undefined) => number | undefined
  readonly atLeast?: number
  readonly atMost?: number
  readonly unit?: string
}
