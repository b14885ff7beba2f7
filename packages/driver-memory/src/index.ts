/**
 * The in-memory driver of Millrace.
 *
 * @since 0.1.0
 */
export * as MemoryDriver from "./MemoryDriver.ts"
