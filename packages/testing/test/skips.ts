/** The cases that every driver of ours fails, and why. */
import type { Conformance } from "@millrace/testing"

export const skips: ReadonlyArray<Conformance.Skip> = []
