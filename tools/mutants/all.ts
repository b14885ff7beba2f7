/** Every mutant. */
import { flows } from "./list/flows.ts"
import { managing } from "./list/managing.ts"
import { memory } from "./list/memory.ts"
import { postgresql } from "./list/postgres.ts"
import { rules } from "./list/rules.ts"
import { times } from "./list/times.ts"
import { workers } from "./list/worker.ts"
import type { Mutant } from "./Mutant.ts"

export const mutants: ReadonlyArray<Mutant> = [
  ...rules,
  ...memory,
  ...postgresql,
  ...workers,
  ...flows,
  ...times,
  ...managing,
]
