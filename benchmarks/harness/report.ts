/** The report: what was measured, of what it was asked to be, as Markdown. */
import type { Requirement, Sample, Series } from "../model.ts"
import type { Workload } from "../workloads/workload.ts"
import { median } from "./stats.ts"

/** What became of a workload. */
export interface Outcome {
  readonly workload: Workload
  readonly seconds: number
  readonly series: ReadonlyArray<Series>
  readonly failure: string | undefined
}

type Row = ReadonlyArray<string>

export const render = (
  facts: ReadonlyArray<readonly [string, string]>,
  notes: ReadonlyArray<string>,
  outcomes: ReadonlyArray<Outcome>,
): string =>
  [
    "# Results",
    "What `npm run bench` printed. Figures are medians; each round measures everything in turn.",
    table(["", ""], facts),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join("\n")]),
    "## What must be reached",
    table(
      ["Workload", "Must reach", "Measured", "", "Aim"],
      outcomes.flatMap(requirementRows),
    ),
    ...outcomes.flatMap(section),
  ].join("\n\n") + "\n"

const requirementRows = ({ workload, series, failure }: Outcome): ReadonlyArray<Row> =>
  workload.requirements.map((requirement) => [
    workload.name,
    requirement.must,
    ...(failure === undefined ? verdict(requirement, series) : ["failed", "not met"]),
    requirement.aim ?? "",
  ])

const verdict = (requirement: Requirement, series: ReadonlyArray<Series>): Row => {
  const found = requirement.measured((name) => {
    const one = series.find((one) => one.name === name)
    return one === undefined ? undefined : valueOf(one)
  })
  if (found === undefined) return ["not measured", ""]
  const { atLeast, atMost, unit = "×" } = requirement
  const shown = `${figure(found)} ${unit}`
  if (atLeast !== undefined && found < atLeast) {
    return [shown, `**not met**, by ${percent(1 - found / atLeast)}`]
  }
  if (atMost !== undefined && found > atMost) {
    return [shown, `**not met**, by ${percent(found / atMost - 1)}`]
  }
  return [shown, "met"]
}

const section = ({ workload, seconds, series, failure }: Outcome): ReadonlyArray<string> => [
  `## ${workload.name}`,
  `${workload.title}. Took ${Math.round(seconds)} s.`,
  ...(failure === undefined ? [] : [`**Failed:** ${failure.split("\n")[0]}`]),
  ...(series.length === 0 ? [] : [seriesTable(series)]),
]

const seriesTable = (series: ReadonlyArray<Series>): string => {
  const ours = series.find(({ unit }) => unit === series[0]!.unit)!
  const costs = series.some(({ samples }) => samples.some((sample) => sample.walBytes))
  const heads = ["", "median", "lowest to highest", "jobs", `of ${ours.name}`]
  const more = costs ? ["CPU s client", "CPU s server", "WAL KB"] : []
  return table(
    [...heads, ...more],
    series.map((one) => [
      one.name,
      `${figure(valueOf(one))} ${one.unit}`,
      rangeOf(one.samples.map(({ value }) => value)),
      one.samples[0]?.jobs === undefined ? "" : figure(one.samples[0].jobs),
      one.unit === ours.unit ? figure(valueOf(one) / valueOf(ours)) : "",
      ...(costs ? costsOf(one.samples) : []),
    ]),
  ) + (costs ? "\n\nCPU seconds and WAL are per 10,000 jobs." : "")
}

const valueOf = ({ samples }: Series): number => median(samples.map(({ value }) => value))

const rangeOf = (values: ReadonlyArray<number>): string =>
  values.length < 2 ? "" : `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`

const costsOf = (samples: ReadonlyArray<Sample>): Row => [
  perTenThousand(samples, ({ workerCpu }) => workerCpu),
  perTenThousand(samples, ({ serverCpu }) => serverCpu),
  perTenThousand(samples, ({ walBytes }) => walBytes === undefined ? undefined : walBytes / 1024),
]

const perTenThousand = (
  samples: ReadonlyArray<Sample>,
  pick: (sample: Sample) => number | undefined,
): string => {
  const values = samples.flatMap((sample) => {
    const picked = pick(sample)
    return picked === undefined || sample.jobs === undefined ? [] : [picked / sample.jobs * 10_000]
  })
  return values.length === 0 ? "" : figure(median(values))
}

const figure = (value: number): string =>
  Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-US")
    : String(Number(value.toPrecision(3)))

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`

const table = (head: Row, rows: ReadonlyArray<Row>): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")
