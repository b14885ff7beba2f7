/**
 * A worker's options, checked and with their defaults.
 */
import type * as Job from "../../Job.ts"
import type { Registered } from "../../Registry.ts"
import * as Candidates from "../candidates.ts"
import * as Definition from "../../Definition.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import * as Retention from "../../Retention.ts"
import type { QueueLimits } from "../../Limiting.ts"
import * as Queues from "../../Queues.ts"
import type { Draft } from "../../Scheduling.ts"
import type { Options } from "../../Worker.ts"
import type { AnyHandledFlow } from "../../FlowHandlers.ts"
import { keyOf, ofFlow } from "../flow/Serving.ts"
import * as Starting from "../flow/Starting.ts"
import type { Versions } from "../ticks.ts"
import { runsOf } from "../flow/Standing.ts"
import type { Retained } from "./Retaining.ts"
import { type Catalogue, ofJob } from "./Served.ts"

export interface Settings {
  readonly name: string
  /** The slugs of what it serves, for people. */
  readonly slugs: ReadonlyArray<string>
  readonly served: Catalogue
  /** What it serves, to be remembered. */
  readonly registered: () => ReadonlyArray<Registered>
  /** Of each served job, by its slug, what its definition says. */
  readonly schedules: ReadonlyMap<string, Draft | undefined>
  /** Of each served flow, by its slug, what its runs are stored with. */
  readonly versions: Versions
  readonly retained: ReadonlyArray<Retained>
  /** By the name of the queue. */
  readonly concurrency: ReadonlyMap<string, number>
  /** The limits to say, by the name of the queue. */
  readonly limits: ReadonlyMap<string, QueueLimits>
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
export const make = (
  options: Options<ReadonlyArray<Job.AnyHandled>, ReadonlyArray<AnyHandledFlow>>,
): Settings => {
  Problem.throwFirst(problemsOf(options))
  const { jobs = [], flows = [] } = options
  const concurrency = new Map<string, number>()
  const limits = new Map<string, QueueLimits>()
  for (const queue of [...jobs.map((job) => job.queue), ...flows.flatMap(queuesOf)]) {
    const own = options.queues?.[queue]
    if (own?.limits !== undefined) limits.set(queue, Queues.limitsOf(own.limits))
    concurrency.set(queue, own?.concurrency ?? options.concurrency ?? defaults.concurrency)
  }
  return {
    name: options.name ?? defaults.name,
    slugs: [...jobs, ...flows].map(({ slug }) => slug),
    served: catalogueOf(jobs, flows),
    registered: () => [
      ...jobs.map(({ job }) => Candidates.ofJob(job)),
      ...flows.map(({ flow }) => Candidates.ofFlow(flow)),
    ],
    ...scheduledOf(jobs, flows),
    retained: retainedOf(options),
    concurrency,
    limits,
    leaseMillis: Problem.toMillis(options.lease ?? defaults.lease)!,
    pollMillis: Problem.toMillis(options.pollInterval ?? defaults.pollInterval)!,
    graceMillis: Problem.toMillis(options.gracePeriod ?? defaults.gracePeriod)!,
  }
}

// Of a flow in several versions the first counts.
const scheduledOf = (
  jobs: ReadonlyArray<Job.AnyHandled>,
  flows: ReadonlyArray<AnyHandledFlow>,
): Pick<Settings, "schedules" | "versions"> => {
  const last = flows.toReversed()
  return {
    schedules: new Map([
      ...jobs.map(({ job, slug }) => [slug, job.schedule] as const),
      ...last.map(({ flow, slug }) => [slug, flow.schedule] as const),
    ]),
    versions: new Map(last.map(({ flow, slug }) => [slug, Starting.storedOf(flow.parts)])),
  }
}

/** What is to be removed, where anything is. */
const retainedOf = (
  { flows = [], jobs = [], retention }: Options<
    ReadonlyArray<Job.AnyHandled>,
    ReadonlyArray<AnyHandledFlow>
  >,
): ReadonlyArray<Retained> => {
  const all = new Map<string, Retained>()
  const add = (flow: string, flowType: "job" | "flow", own: Retention.Options | undefined) => {
    const rules = Retention.rulesOf(own ?? retention ?? {})
    if (rules.length > 0) all.set(flow, { flow, flowType, rules })
  }
  for (const { job } of jobs) add(job.slug, "job", job.retention)
  for (const { flow } of flows) add(flow.slug, "flow", flow.retention)
  return [...all.values()]
}

const catalogueOf = (
  jobs: ReadonlyArray<Job.AnyHandled>,
  flows: ReadonlyArray<AnyHandledFlow>,
): Catalogue => {
  const ofJobs = new Map(jobs.map((job) => [job.slug, ofJob(job)]))
  const works = new Map(flows.flatMap((flow) => [...ofFlow(flow)]))
  return (task) => {
    if (task.flowType === "job") return ofJobs.get(task.flow)
    const work = works.get(keyOf({ slug: task.flow, version: task.version }))
    return task.id === task.runId ? work?.run : work?.steps.get(task.step)
  }
}

/** The queues that a flow's tasks wait in: its runs', its steps', those of flows inside of it. */
const queuesOf = ({ flow }: AnyHandledFlow): ReadonlyArray<string> => {
  const all = new Set<string>()
  const add = ({ definition, steps }: AnyHandledFlow["flow"]["parts"]) => {
    all.add(runsOf(definition.queue)).add(definition.queue)
    for (const { step, flow } of steps.values()) {
      if (flow !== undefined) add(flow)
      else all.add(step.queue ?? definition.queue)
    }
  }
  add(flow.parts)
  return [...all]
}

const known: ReadonlySet<string> = new Set<keyof Options<[], []>>([
  "name",
  "jobs",
  "flows",
  "queues",
  "concurrency",
  "lease",
  "pollInterval",
  "gracePeriod",
  "retention",
])

const problemsOf = (
  options: Options<ReadonlyArray<Job.AnyHandled>, ReadonlyArray<AnyHandledFlow>>,
): ReadonlyArray<Problem.Problem> => {
  const subject = `worker ${Problem.show(options.name ?? defaults.name)}`
  const duration = (option: "lease" | "pollInterval" | "gracePeriod", min: number, max: number) =>
    Problem.ofDuration(subject, option, options[option] ?? defaults[option], min, max)
  const count = (option: string, value: number | undefined) =>
    value === undefined ? [] : Problem.ofInteger(subject, option, value, 1, Limits.concurrency)
  const queues = Object.entries(options.queues ?? {})
  const { jobs = [], flows = [] } = options
  const served = new Set([...jobs.map((job) => job.queue), ...flows.flatMap(queuesOf)])
  return [
    ...Problem.ofSlug(subject, "name", options.name ?? defaults.name),
    ...Object.keys(options).filter((option) => !known.has(option)).map((option) => ({
      subject,
      option,
      message: `Cannot define ${subject}: there is no option ${Problem.show(option)}`,
    })),
    ...(jobs.length + flows.length === 0
      ? [Problem.mustBe(subject, "jobs", "at least one job or flow with its handlers", jobs)]
      : []),
    ...Definition.check(jobs),
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
      ...(own.limits === undefined
        ? []
        : Queues.problemsOf(`${subject}, limits of queue "${queue}"`, queue, own.limits)),
      ...(served.has(queue) ? [] : [
        Problem.mustBe(subject, "queues", "queues of its jobs", queue),
      ]),
    ]),
    ...(options.retention === undefined ? [] : Retention.problemsOf(subject, options.retention)),
    ...duration("lease", Limits.minLeaseMillis, Limits.maxLeaseMillis),
    ...duration("pollInterval", Limits.minPollMillis, Limits.maxPollMillis),
    ...duration("gracePeriod", 0, Limits.maxGraceMillis),
  ]
}
