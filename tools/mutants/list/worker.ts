/** Mutants of the worker. */
import { mutantsOf } from "../Mutant.ts"

const worker = "packages/core/src/internal/worker"

export const workers = [
  ...mutantsOf(`${worker}/Attempts.ts`, ["calm", "storm"], [
    [
      "worker: timeouts are not enforced",
      "    this.deadlines.add(running, policy.timeoutMillis)\n",
      "",
    ],
    [
      "worker: a cancelled handler runs on",
      `this.#interrupt(running, "lost")`,
      "return",
    ],
    [
      "worker: handlers are told one attempt too few",
      "    attempt: task.failures + 1,\n    maxAttempts: served.policy.maxAttempts,",
      "    attempt: task.failures,\n    maxAttempts: served.policy.maxAttempts,",
    ],
    ["worker: the fence is the attempt", "fence: task.lease", "fence: task.failures + 1"],
    ["worker: handlers get no place back", "      this.#reports.freed(held.task.queue)\n", ""],
  ]),
  ...mutantsOf(`${worker}/Claims.ts`, ["calm", "storm"], [
    [
      "worker: a claim whose reply was lost is forgotten",
      "    if (Exit.isFailure(claimed)) asked.session.drain()\n",
      "",
    ],
    [
      "worker: what was claimed is not held",
      "place: session.hold(task), begins",
      "place: -1, begins",
    ],
  ]),
  ...mutantsOf(`${worker}/Intake.ts`, ["deaf"], [
    [
      "worker: no poll, and wakeups can be lost",
      "Math.max(1, Math.min(dueMillis, this.#settings.pollMillis))",
      "Math.max(1, Math.min(dueMillis, 1e10))",
    ],
  ]),
  ...mutantsOf(`${worker}/Lane.ts`, ["calm", "storm"], [
    [
      "worker: one attempt more at a time than allowed",
      "if (this.active >= this.concurrency ||",
      "if (this.active > this.concurrency ||",
    ],
  ]),
  ...mutantsOf(`${worker}/Sessions.ts`, ["calm", "storm"], [
    [
      "worker: nobody recovers",
      `"Expired", limit: recoveredAtOnce }`,
      `"Expired", limit: 0 }`,
    ],
    [
      "worker: heartbeats come too late",
      "const interval = this.#leaseMillis / beatsPerLease",
      "const interval = this.#leaseMillis * beatsPerLease",
    ],
    [
      "worker: what another took over runs on",
      "      for (const { id, lease } of exit.value.lost) this.#losses.lost(session, id, lease)\n",
      "",
    ],
  ]),
  ...mutantsOf(`${worker}/Settling.ts`, ["calm", "storm"], [
    [
      "worker: an outcome is dropped when the storage fails",
      "if (!error.isRetryable) return yield* this.#refused(batch, error)",
      "return",
    ],
    [
      "worker: what was settled is still held",
      "      ended.session.release(ended.task, ended.place)\n",
      "",
    ],
  ]),
  ...mutantsOf(`${worker}/Outcomes.ts`, ["calm", "storm"], [
    [
      "worker: a typed error is never tried again",
      "retryDelayMillis: retryable ? delayOf(about) : undefined",
      "retryDelayMillis: undefined",
    ],
    [
      "worker: a timeout counts as given back",
      `if (about.ending === "timeout") return timedOut(about)`,
      `if (about.ending === "timeout") return { _tag: "Interrupted" }`,
    ],
  ]),
]
