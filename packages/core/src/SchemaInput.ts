/**
 * Schemas as definitions take them.
 *
 * @since 0.1.0
 */
import type { Schema } from "effect"
import type * as Codec from "./Codec.ts"

/** A schema, or the fields of a struct; none of them needs a service.
 * @category models
 * @since 0.1.0 */
export type SchemaInput = Codec.Plain | { readonly [field: string]: Codec.Plain }

/** The schema that a `SchemaInput` stands for.
 * @category models
 * @since 0.1.0 */
export type SchemaOf<S> = S extends Schema.Constraint ? S
  : S extends Schema.Struct.Fields ? Schema.Struct<S>
  : never

/** The type of the schema that a `SchemaInput` stands for.
 * @category models
 * @since 0.1.0 */
export type TypeOf<S> = SchemaOf<S>["Type"]
