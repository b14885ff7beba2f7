/**
 * A memory driver that a test puts something before: a fault, a count, a delay.
 */
import { Driver } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Effect, Layer } from "effect"

type Service = Driver.Driver["Service"]

/** Provides a memory driver, of which the members that are given stand in for its own. */
export const overMemory = (
  members: (memory: Service) => Partial<Service>,
): Layer.Layer<Driver.Driver> =>
  Layer.effect(
    Driver.Driver,
    Effect.map(MemoryDriver.make, (memory) => Driver.Driver.of({ ...memory, ...members(memory) })),
  )
