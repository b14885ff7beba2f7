/**
 * A schema compiled once to synchronous JSON text conversions, for the hot path.
 *
 * @since 0.1.0
 */
import { Cause, Exit, Schema, SchemaAST } from "effect"
import * as Json from "./Json.ts"

/**
 * A schema that needs no service to encode or decode, which every job schema must be.
 *
 * @category models
 * @since 0.1.0
 */
export type Plain = Schema.Constraint & {
  readonly DecodingServices: never
  readonly EncodingServices: never
}

/**
 * What a conversion came to: the value, or in words why there is none.
 *
 * @category models
 * @since 0.1.0
 */
export type Conversion<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly reason: string }

/**
 * Turns values of type `A` to JSON text and back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec<A> {
  // A method, so that any codec is a `Codec<any>`, also one of `never`.
  encode(value: A): Conversion<string>
  readonly decode: (text: string) => Conversion<A>
}

/** A codec of whatever type.
 * @category models
 * @since 0.1.0 */
export interface Any extends Codec<any> {}

/** The three schemas of a job, compiled.
 * @category models
 * @since 0.1.0 */
export interface Codecs<I, O, E> {
  readonly input: Codec<I>
  readonly output: Codec<O>
  readonly error: Codec<E>
}

/**
 * Compiles a schema. Texts longer than `maxBytes` are refused when encoding.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S extends Plain>(schema: S, maxBytes: number): Codec<S["Type"]> => {
  const codec = Schema.toCodecJson(schema) as unknown as Schema.Codec<S["Type"], Schema.Json>
  const encodeExit = Schema.encodeUnknownExit(codec)
  const decodeExit = Schema.decodeUnknownExit(codec)
  return {
    encode: (value) => {
      const exit = encodeExit(value)
      if (Exit.isFailure(exit)) return { ok: false, reason: reasonOf(exit.cause) }
      const json = orUndefined(() => Json.stringify(exit.value, maxBytes))
      if (json === undefined) return { ok: false, reason: "it has no JSON form" }
      return "text" in json ? { ok: true, value: json.text } : { ok: false, reason: json.refused }
    },
    decode: (text) => {
      const json = orUndefined(() => ({ value: Json.parse(text) }))
      if (json === undefined) return { ok: false, reason: "it is not JSON text" }
      const exit = decodeExit(json.value)
      return Exit.isSuccess(exit)
        ? { ok: true, value: exit.value }
        : { ok: false, reason: reasonOf(exit.cause) }
    },
  }
}

const orUndefined = <A>(evaluate: () => A): A | undefined => {
  try {
    return evaluate()
  } catch {
    return undefined
  }
}

// A schema error names paths and expected types; its text holds no values of the input. What a
// transformation threw may hold some, so only its name is told.
const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return Schema.isSchemaError(error)
    ? error.message.replaceAll(/\s*\n\s*/g, " ")
    : `the schema threw ${error instanceof Error ? error.name : `a value of type ${typeof error}`}`
}

/**
 * Finds what in a schema has no JSON form, such as an `instanceOf` without a `toCodecJson`
 * annotation, and names it; `undefined` where all of it has one.
 *
 * @category guards
 * @since 0.1.0
 */
export const notJson = (schema: Schema.Constraint): string | undefined => {
  try {
    Schema.toCodecJson(schema)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return walk(schema.ast, "the value", new Set())
}

const walk = (
  source: SchemaAST.AST,
  path: string,
  seen: Set<SchemaAST.AST>,
): string | undefined => {
  if (seen.has(source)) return undefined
  seen.add(source)
  const ast = source.encoding === undefined ? source : source.encoding.at(-1)!.to
  if (ast !== source) return walk(ast, path, seen)
  const first = <A>(all: ReadonlyArray<A>, f: (a: A) => string | undefined) => {
    for (const a of all) {
      const found = f(a)
      if (found !== undefined) return found
    }
    return undefined
  }
  switch (ast._tag) {
    case "Any":
      return `${path} may be anything, and not only JSON: use Schema.Unknown instead of Schema.Any`
    case "Declaration":
      return ast.annotations?.["toCodecJson"] === undefined &&
          ast.annotations?.["toCodec"] === undefined
        ? `${path} is declared without a JSON form`
        : first(ast.typeParameters, (type) => walk(type, path, seen))
    case "Objects":
      return first(
        ast.propertySignatures,
        (property) => walk(property.type, `"${String(property.name)}"`, seen),
      ) ?? first(ast.indexSignatures, (signature) => walk(signature.type, path, seen))
    case "Arrays":
      return first([...ast.elements, ...ast.rest], (type) => walk(type, path, seen))
    case "Union":
      return first(ast.types, (type) => walk(type, path, seen))
    case "Suspend":
      return walk(ast.thunk(), path, seen)
    default:
      return undefined
  }
}
