/** All workloads, in the order of the report. */
import * as Drain from "./drain.ts"
import * as DrainNeverAnalyzed from "./drain-never-analyzed.ts"
import * as DrainOthers from "./drain-others.ts"
import * as DrainSnapshot from "./drain-snapshot.ts"
import * as Enqueue from "./enqueue.ts"
import * as Flows from "./flows.ts"
import * as Idle from "./idle.ts"
import * as Latency from "./latency.ts"
import * as Limits from "./limits.ts"
import * as Memory from "./memory.ts"
import * as Processes from "./processes.ts"
import * as Runtimes from "./runtimes.ts"
import type { Workload } from "./workload.ts"

export const workloads: ReadonlyArray<Workload> = [
  Drain.workload,
  DrainNeverAnalyzed.workload,
  DrainOthers.workload,
  DrainSnapshot.workload,
  Limits.draining,
  Limits.ordered,
  Limits.enqueueing,
  Enqueue.concurrent,
  Enqueue.single,
  Enqueue.within,
  Enqueue.bulk,
  Latency.workload,
  Processes.workload,
  Idle.workload,
  Runtimes.workload,
  Memory.workload,
  Flows.workload,
]
