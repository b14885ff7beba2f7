/** Tasks for tests that have no stage. */
import { type Driver, RunId } from "@millrace/core"
import { Effect } from "effect"

export const newTask = (more: Partial<Driver.NewTask> = {}): Driver.NewTask => {
  const id = more.id ?? Effect.runSync(RunId.make)
  return {
    ...{ id, runId: id, flowType: "job", flow: "send_email", step: "send", index: 0 },
    ...{ queue: "mail", priority: 5, input: "{}", maxAttempts: 3, maxCrashes: 3 },
    ...{ delayMillis: 0, awaited: false, ...more },
  }
}
