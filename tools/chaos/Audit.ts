/** Counts what the storage holds after the soak, and says what must not be. */
import postgres from "postgres"
import type { Losses } from "./Fleet.ts"
import type { Outage } from "./Monkey.ts"

export interface Findings {
  readonly wrong: ReadonlyArray<string>
  /** By state. */
  readonly states: Readonly<Record<string, number>>
  /** By kind. */
  readonly entries: Readonly<Record<string, number>>
  /** Milliseconds from the loss of a worker to the recovery of each of its tasks. */
  readonly recoveries: ReadonlyArray<number>
  /** Recoveries that are not counted, since the server was away meanwhile. */
  readonly excluded: number
}

type Row = Readonly<Record<string, unknown>>

/** How many tasks have not ended. */
export const open = async (url: string): Promise<number> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const [row] = await sql`select count(*)::int as open from millrace.task_states
      where state not in ('completed', 'failed', 'cancelled', 'skipped')`
    return row!.open as number
  } finally {
    await sql.end()
  }
}

/** Each of these must answer no row. */
const mustBeEmpty: Readonly<Record<string, string>> = {
  "an attempt number is there twice": `
    select task_id, attempt from millrace.attempts
    where kind in ('completed', 'failed', 'timed_out', 'discarded')
    group by task_id, attempt having count(*) > 1`,
  "a run has more failures than attempts": `
    select a.task_id from millrace.attempts a join millrace.tasks t on t.id = a.task_id
    where a.failures > t.max_attempts or a.crashes > t.max_crashes + 1`,
  "a run ended twice": `
    select task_id from millrace.attempts where state <> 'ready' group by task_id having count(*) > 1`,
  "a transaction that completes was committed twice": `
    select run from chaos_committed group by run having count(*) > 1`,
  "a run completed without its transaction, or the other way round": `
    select coalesce(s.id, c.run) from
      (select id from millrace.task_states where flow = 'chore' and state = 'completed'
        and input ->> 'kind' = 'commits') s
    full join chaos_committed c on c.run = s.id where s.id is null or c.run is null`,
  "what a transaction enqueued is missing or doubled": `
    select of from (
      select input ->> 'of' as of from millrace.tasks where flow = 'echo'
      union all select run::text from chaos_committed
    ) both_sides group by of having count(*) <> 2`,
  "a fenced write came from a lease that there never was": `
    select f.run from chaos_fenced f where f.fence > (
      select max(lease) from millrace.attempts a where a.task_id = f.run
    )`,
  "a fenced run completed without its write": `
    select id from millrace.task_states where flow = 'chore' and state = 'completed'
      and input ->> 'kind' = 'fenced' and id not in (select run from chaos_fenced)`,
  "a chore failed that could not fail for good": `
    select id from millrace.task_states where state = 'failed' and input ->> 'kind' <> 'fails'
      and last_kind <> 'crashed'`,
}

/** Looks at everything. */
export const audit = async (
  url: string,
  accepted: ReadonlyArray<string>,
  losses: Losses,
  outages: ReadonlyArray<Outage>,
  leaseMillis: number,
): Promise<Findings> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const wrong: Array<string> = []
    for (const [what, query] of Object.entries(mustBeEmpty)) {
      const rows = await sql.unsafe(query)
      if (rows.length > 0) wrong.push(`${what}: ${rows.length}, such as ${firstOf(rows)}`)
    }
    const stored = await sql`select id from millrace.tasks where flow = 'chore'`
    const ids = new Set(stored.map((row) => row.id as string))
    const lost = accepted.filter((id) => !ids.has(id))
    if (lost.length > 0) wrong.push(`accepted runs are missing: ${lost.length}, such as ${lost[0]}`)
    const states = counted(
      await sql`
      select state as name, count(*)::int as count from millrace.task_states group by 1`,
    )
    const entries = counted(
      await sql`
      select kind as name, count(*)::int as count from millrace.attempts group by 1`,
    )
    const crashes = await sql`select worker, date_part('epoch', finished_at) * 1000 as at
      from millrace.attempts where kind = 'crashed'`
    return { wrong, states, entries, ...recovered(crashes, losses, outages, leaseMillis) }
  } finally {
    await sql.end()
  }
}

const firstOf = (rows: ReadonlyArray<Row>) => String(Object.values(rows[0]!)[0])

const counted = (rows: ReadonlyArray<Row>): Record<string, number> =>
  Object.fromEntries(rows.map((row) => [row.name, row.count as number]))

const recovered = (
  crashes: ReadonlyArray<Row>,
  losses: Losses,
  outages: ReadonlyArray<Outage>,
  leaseMillis: number,
) => {
  const recoveries: Array<number> = []
  let excluded = 0
  for (const { worker, at } of crashes) {
    const from = losses.get(String(worker).replace(/-.*$/, ""))
    const to = Number(at)
    // Others need a lease to begin anew after an outage.
    const away = outages.some((outage) => outage.from < to && from! < outage.to + leaseMillis)
    if (from === undefined || from > to || away) excluded++
    else recoveries.push(to - from)
  }
  return { recoveries: recoveries.sort((a, b) => a - b), excluded }
}
