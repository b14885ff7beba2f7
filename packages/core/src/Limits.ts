/**
 * Every bound that Millrace enforces, in one place.
 *
 * **Details**
 *
 * Sizes are bytes of UTF-8 JSON, durations are milliseconds. A definition that is out of bounds is
 * refused when it is made; a value that is out of bounds is refused when it is enqueued.
 *
 * @since 0.1.0
 */

/** The pattern of a slug: of a job, a step and a queue.
 * @category limits
 * @since 0.1.0 */
export const slugPattern: RegExp = /^[a-z_][a-z0-9_]*$/

/** The longest slug, in characters.
 * @category limits
 * @since 0.1.0 */
export const slugLength = 48

/** The largest encoded input, in bytes.
 * @category limits
 * @since 0.1.0 */
export const inputBytes = 1024 * 1024

/** The largest encoded output or error, in bytes.
 * @category limits
 * @since 0.1.0 */
export const outputBytes = 1024 * 1024

/** The most tasks that one statement inserts, claims or settles.
 * @category limits
 * @since 0.1.0 */
export const batchSize = 1000

/** The most attempts that a definition may ask for.
 * @category limits
 * @since 0.1.0 */
export const maxAttempts = 100_000

/** The most crashes that a definition may allow.
 * @category limits
 * @since 0.1.0 */
export const maxCrashes = 100

/** The longest timeout of one attempt: 7 days.
 * @category limits
 * @since 0.1.0 */
export const timeoutMillis = 7 * 24 * 60 * 60 * 1000

/** The longest delay of a task, and the longest backoff: 10 years.
 * @category limits
 * @since 0.1.0 */
export const delayMillis = 10 * 365 * 24 * 60 * 60 * 1000

/** The longest time that a task waits for its beginning before it expires: 10 years.
 * @category limits
 * @since 0.1.0 */
export const expiresMillis = delayMillis

/** The shortest lease of a worker: 1 second.
 * @category limits
 * @since 0.1.0 */
export const minLeaseMillis = 1000

/** The longest lease of a worker: 1 hour.
 * @category limits
 * @since 0.1.0 */
export const maxLeaseMillis = 60 * 60 * 1000

/** The shortest time between two looks for work, when nothing announces any: 10 milliseconds.
 * @category limits
 * @since 0.1.0 */
export const minPollMillis = 10

/** The longest time between two looks for work: 1 hour.
 * @category limits
 * @since 0.1.0 */
export const maxPollMillis = 60 * 60 * 1000

/** The longest time that a stopping worker lets running attempts finish: 1 hour.
 * @category limits
 * @since 0.1.0 */
export const maxGraceMillis = 60 * 60 * 1000

/** The most attempts that one worker runs at a time in one queue.
 * @category limits
 * @since 0.1.0 */
export const concurrency = 10_000

/** The most queues that one worker serves.
 * @category limits
 * @since 0.1.0 */
export const queuesPerWorker = 1000

/** The lowest priority; 0 is the highest and runs first.
 * @category limits
 * @since 0.1.0 */
export const lowestPriority = 9

/** The priority of a job or flow that names none.
 * @category limits
 * @since 0.1.0 */
export const defaultPriority = 5

/** The most scheduled tasks that one claim moves among the ready ones.
 * @category limits
 * @since 0.1.0 */
export const duePerClaim = 1000

/** The longest text for people that is stored, such as a reason, in characters (UTF-16 units).
 * @category limits
 * @since 0.1.0 */
export const textLength = 1000

/** The most runs that a retention by count keeps.
 * @category limits
 * @since 0.1.0 */
export const keptRuns = 1_000_000

/** The longest note of how far an attempt is, in characters (UTF-16 units).
 * @category limits
 * @since 0.1.0 */
export const noteLength = 255

/** The longest key of uniqueness or of a group, in characters (UTF-16 units).
 * @category limits
 * @since 0.1.0 */
export const keyLength = 255

/** The most elements of a map step.
 * @category limits
 * @since 0.1.0 */
export const mapElements = 100_000

/** The longest input of a step, which holds the outputs that it needs, in characters of JSON.
 * @category limits
 * @since 0.1.0 */
export const stepInputLength = 16 * 1024 * 1024

/** The longest output of the run of a flow, which holds those of its last steps, in characters.
 * @category limits
 * @since 0.1.0 */
export const runOutputLength = 16 * 1024 * 1024

/** The most steps of a flow.
 * @category limits
 * @since 0.1.0 */
export const stepsPerFlow = 10_000

/** The most steps that a step needs.
 * @category limits
 * @since 0.1.0 */
export const needsPerStep = 10_000

/** The most keys of a queue that one claim looks at; the next one goes on behind them.
 * @category limits
 * @since 0.1.0 */
export const keysLooked = 1000

/** Where tasks with keys wait, those without are looked for among this many of the queue's first.
 * @category limits
 * @since 0.1.0 */
export const tasksLooked = 1000

/** The most that a queue may hold at a time, and the most tokens of a rate.
 * @category limits
 * @since 0.1.0 */
export const queueConcurrency = 1_000_000

/** The longest period of a rate: 31 days.
 * @category limits
 * @since 0.1.0 */
export const ratePeriodMillis = 31 * 24 * 60 * 60 * 1000

/** The deepest that a queue with a maximum depth may be.
 * @category limits
 * @since 0.1.0 */
export const maxDepth = 100_000

/** The most keys that have a weight of their own, and the largest weight.
 * @category limits
 * @since 0.1.0 */
export const weights = 100

/** The longest cron expression, in characters.
 * @category limits
 * @since 0.1.0 */
export const cronLength = 255

/** The shortest interval of a schedule: 1 second.
 * @category limits
 * @since 0.1.0 */
export const minEveryMillis = 1000

/** The longest jitter of a schedule: 1 day.
 * @category limits
 * @since 0.1.0 */
export const jitterMillis = 24 * 60 * 60 * 1000

/** The most missed occurrences of a schedule that are made up for.
 * @category limits
 * @since 0.1.0 */
export const misfires = 900

/** An occurrence that is enqueued later than this was missed: 1 minute.
 * @category limits
 * @since 0.1.0 */
export const lateMillis = 60 * 1000

/** The longest name of a schedule, in characters (UTF-16 units).
 * @category limits
 * @since 0.1.0 */
export const scheduleNameLength = 255

/** The last instant that is stored: the end of the year 9999.
 * @category limits
 * @since 0.1.0 */
export const lastInstant = 253_402_300_799_999

/** The most runs that one page of a list holds.
 * @category limits
 * @since 0.1.0 */
export const pageSize = 1000

/** The most tags, and the most pairs of metadata, of a run.
 * @category limits
 * @since 0.1.0 */
export const labels = 16

/** The longest name of metadata, in characters (UTF-16 units).
 * @category limits
 * @since 0.1.0 */
export const metaNameLength = 64
