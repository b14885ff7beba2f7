/**
 * Conformance cases and random programs for drivers of Millrace.
 *
 * @since 0.1.0
 */
export * as Conformance from "./Conformance.ts"
export * as FlowModel from "./FlowModel.ts"
export * as FlowTest from "./FlowTest.ts"
export * as JobTest from "./JobTest.ts"
export * as Model from "./Model.ts"
export * as Simulation from "./Simulation.ts"
