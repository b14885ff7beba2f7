/** What the command line asks for. */
import { parseArgs } from "node:util"

export const usage = `npm run bench [-- OPTIONS]

  --workload A,B   only these workloads
  --peers A,B      only these peers; "none" for none
  --quick          fewer and smaller measurements, in less than five minutes
  --rounds N       how often each is measured (default 3; 1 with --quick)
  --output FILE    where to write the report (default, for a full run: benchmarks/RESULTS.md)
  --list           the workloads and peers
  --help           this text

DATABASE_URL names a server to use instead of a throw-away one; its user creates databases.`

export interface Options {
  readonly workloads: ReadonlyArray<string>
  readonly peers: ReadonlyArray<string>
  readonly quick: boolean
  readonly rounds: number
  readonly output: string | undefined
  readonly list: boolean
  readonly help: boolean
}

/** Reads the options; throws an error that says what is wrong. */
export const parse = (
  args: ReadonlyArray<string>,
  known: { readonly workloads: ReadonlyArray<string>; readonly peers: ReadonlyArray<string> },
): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: "string" },
      peers: { type: "string" },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      output: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  const { workload, peers, quick, rounds, output } = values
  const whole = workload === undefined && peers === undefined && !quick
  return {
    workloads: chosen("workload", workload, known.workloads),
    peers: peers === "none" ? [] : chosen("peer", peers, known.peers),
    quick,
    rounds: rounds === undefined ? (quick ? 1 : 3) : roundsOf(rounds),
    output: output ?? (whole ? "benchmarks/RESULTS.md" : undefined),
    list: values.list,
    help: values.help,
  }
}

const chosen = (what: string, given: string | undefined, known: ReadonlyArray<string>) => {
  if (given === undefined) return known
  const names = given.split(",").map((name) => name.trim())
  for (const name of names) {
    if (!known.includes(name)) {
      throw new Error(`There is no ${what} "${name}"; there are: ${known.join(", ")}`)
    }
  }
  return known.filter((name) => names.includes(name))
}

const roundsOf = (text: string): number => {
  const rounds = Number(text)
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds
  throw new Error(`--rounds must be an integer from 1 to 100, got "${text}"`)
}
