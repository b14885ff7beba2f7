/**
 * The sessions of workers: all that a worker holds expires together.
 *
 * @since 0.1.0
 */
import { Claiming } from "@millrace/core"
import type { Row } from "./Row.ts"

/** One session of a worker, which may have several under its name, one after the other. */
export interface Session {
  readonly worker: string
  /** Its lease holds until then; `-Infinity` once it was ended. */
  expiresAt: number
}

/** An expired session is remembered for a day, so that a worker that comes back late is told. */
const rememberedMillis = 24 * 60 * 60 * 1000

export class Sessions {
  /** The last session under each name, unless it was ended. */
  private readonly current = new Map<string, Session>()

  /** The session under a name, live or expired. */
  get(worker: string): Session | undefined {
    return this.current.get(worker)
  }

  /** The session under a name, if it lives. */
  live(worker: string, now: number): Session | undefined {
    const session = this.current.get(worker)
    return session === undefined || Claiming.isExpired(session.expiresAt, now) ? undefined : session
  }

  /** Begins or extends a session. */
  extend(worker: string, expiresAt: number): void {
    const session = this.current.get(worker)
    if (session === undefined) this.current.set(worker, { worker, expiresAt })
    else session.expiresAt = expiresAt
  }

  /** Ends a session for good: what it holds is given up, also when its worker begins again. */
  end(worker: string): void {
    const session = this.current.get(worker)
    if (session === undefined) return
    session.expiresAt = -Infinity
    this.current.delete(worker)
  }

  /** The running tasks whose worker's lease has ended; what nobody holds any more is forgotten. */
  lost(running: Iterable<Row>, now: number): ReadonlyArray<Row> {
    const held = new Set<Session>()
    const lost: Array<Row> = []
    for (const row of running) {
      held.add(row.session!)
      if (Claiming.isExpired(row.session!.expiresAt, now)) lost.push(row)
    }
    this.forget(held, now)
    return lost
  }

  /** Forgets the sessions that expired long ago, but for those that something is held by. */
  private forget(held: ReadonlySet<Session>, now: number): void {
    for (const [worker, session] of this.current) {
      const forgotten = Claiming.isExpired(session.expiresAt + rememberedMillis, now)
      if (forgotten && !held.has(session)) this.current.delete(worker)
    }
  }
}
