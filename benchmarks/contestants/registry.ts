/** The contestants by name. */
import type { Contestant } from "../model.ts"

const modules: Readonly<Record<string, () => Promise<{ readonly contestant: Contestant }>>> = {
  "millrace": () => import("./millrace.ts"),
  "millrace, limited": () => import("./millrace-limited.ts"),
  "millrace, FIFO groups": () => import("./millrace-groups.ts"),
  "millrace, unique keys": () => import("./millrace-unique.ts"),
  "raw limit": () => import("./limit.ts"),
  "graphile-worker": () => import("../peers/graphile-worker.ts"),
  "graphile-worker, named queues": () => import("../peers/graphile-worker-queues.ts"),
  "graphile-worker, job keys": () => import("../peers/graphile-worker-keys.ts"),
  "pg-boss": () => import("../peers/pg-boss.ts"),
  "pg-boss, strict FIFO": () => import("../peers/pg-boss-fifo.ts"),
  "pg-boss, singleton keys": () => import("../peers/pg-boss-keys.ts"),
  "PersistedQueue": () => import("../peers/persisted-queue.ts"),
  "effect-mq": () => import("../peers/effect-mq.ts"),
}

/** Everybody else's queues that use PostgreSQL. */
export const peers: ReadonlyArray<string> = [
  "graphile-worker",
  "pg-boss",
  "PersistedQueue",
  "effect-mq",
]

/** The two that settle and fetch job by job, and are given fewer jobs. */
export const slow: ReadonlyArray<string> = ["PersistedQueue", "effect-mq"]

export const load = async (name: string): Promise<Contestant> => (await modules[name]!()).contestant
