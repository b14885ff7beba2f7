/**
 * A worker's options, checked and with their defaults.
 */
import type * as Job from "../../Job.ts"
import * as Definition from "../../Definition.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import type { Options } from "../../Worker.ts"
import { type Catalogue, ofJob } from "./Served.ts"

export interface Settings {
  readonly name: string
  /** The slugs of what it serves, for people. */
  readonly slugs: ReadonlyArray<string>
  readonly served: Catalogue
  /** By the name of the queue. */
  readonly concurrency: ReadonlyMap<string, number>
  readonly leaseMillis: number
  readonly pollMillis: number
  readonly graceMillis: number
}

const defaults = {
  name: "worker",
  concurrency: 10,
  lease: "30 seconds",
  pollInterval: "2 seconds",
  gracePeriod: "10 seconds",
} as const

/** Throws the first problem of the options, or answers them with every default in its place. */
export const make = (options: Options<ReadonlyArray<Job.AnyHandled>>): Settings => {
  Problem.throwFirst(problemsOf(options))
  const concurrency = new Map<string, number>()
  for (const { queue } of options.jobs) {
    const own = options.queues?.[queue]?.concurrency
    concurrency.set(queue, own ?? options.concurrency ?? defaults.concurrency)
  }
  return {
    name: options.name ?? defaults.name,
    slugs: options.jobs.map((job) => job.slug),
    served: catalogueOf(options.jobs),
    concurrency,
    leaseMillis: Problem.toMillis(options.lease ?? defaults.lease)!,
    pollMillis: Problem.toMillis(options.pollInterval ?? defaults.pollInterval)!,
    graceMillis: Problem.toMillis(options.gracePeriod ?? defaults.gracePeriod)!,
  }
}

const catalogueOf = (jobs: ReadonlyArray<Job.AnyHandled>): Catalogue => {
  const ofJobs = new Map(jobs.map((job) => [job.slug, ofJob(job)]))
  return (task) => ofJobs.get(task.flow)
}

const known: ReadonlySet<string> = new Set<keyof Options<[]>>([
  "name",
  "jobs",
  "queues",
  "concurrency",
  "lease",
  "pollInterval",
  "gracePeriod",
])

const problemsOf = (
  options: Options<ReadonlyArray<Job.AnyHandled>>,
): ReadonlyArray<Problem.Problem> => {
  const subject = `worker ${Problem.show(options.name ?? defaults.name)}`
  const duration = (option: "lease" | "pollInterval" | "gracePeriod", min: number, max: number) =>
    Problem.ofDuration(subject, option, options[option] ?? defaults[option], min, max)
  const count = (option: string, value: number | undefined) =>
    value === undefined ? [] : Problem.ofInteger(subject, option, value, 1, Limits.concurrency)
  const queues = Object.entries(options.queues ?? {})
  const served = new Set(options.jobs.map((job) => job.queue))
  return [
    ...Problem.ofSlug(subject, "name", options.name ?? defaults.name),
    ...Object.keys(options).filter((option) => !known.has(option)).map((option) => ({
      subject,
      option,
      message: `Cannot define ${subject}: there is no option ${Problem.show(option)}`,
    })),
    ...(options.jobs.length === 0
      ? [Problem.mustBe(subject, "jobs", "at least one job with its handler", options.jobs)]
      : []),
    ...Definition.check(options.jobs),
    ...Problem.ofInteger(
      subject,
      "number of queues",
      Math.max(1, served.size),
      1,
      Limits.queuesPerWorker,
    ),
    ...count("concurrency", options.concurrency),
    ...queues.flatMap(([queue, own]) => [
      ...count(`concurrency of queue "${queue}"`, own.concurrency),
      ...(served.has(queue) ? [] : [
        Problem.mustBe(subject, "queues", "queues of its jobs", queue),
      ]),
    ]),
    ...duration("lease", Limits.minLeaseMillis, Limits.maxLeaseMillis),
    ...duration("pollInterval", Limits.minPollMillis, Limits.maxPollMillis),
    ...duration("gracePeriod", 0, Limits.maxGraceMillis),
  ]
}
