/**
 * Whether the values of one schema can be those of another one.
 */
import { Schema, type SchemaAST } from "effect"

/**
 * Names what surely does not fit, such as a key that is wanted and never there; `undefined` where
 * nothing is sure. The compiler knows better; this is for definitions that it does not see.
 */
export const misfit = (from: Schema.Constraint, to: Schema.Constraint): string | undefined =>
  between(typeOf(from), typeOf(to), "it", new Set())

const typeOf = (schema: Schema.Constraint): SchemaAST.AST => Schema.toType(schema as Schema.Top).ast

const between = (
  from: SchemaAST.AST,
  to: SchemaAST.AST,
  path: string,
  above: ReadonlySet<SchemaAST.AST>,
): string | undefined => {
  if (from._tag === "Suspend") return between(from.thunk(), to, path, above)
  if (to._tag === "Suspend") return between(from, to.thunk(), path, above)
  const [given, wanted] = [kindOf(from), kindOf(to)]
  if (given === undefined || wanted === undefined || above.has(to)) return undefined
  if (given !== wanted) return `${path} is ${given} and not ${wanted}`
  const inside = new Set([...above, to])
  if (from._tag === "Arrays" && to._tag === "Arrays") {
    const [a, b] = [from.elements[0] ?? from.rest[0], to.elements[0] ?? to.rest[0]]
    return a && b && between(a, b, `an element of ${path}`, inside)
  }
  if (from._tag !== "Objects" || to._tag !== "Objects" || from.indexSignatures.length > 0) return
  for (const { name, type } of to.propertySignatures) {
    const found = from.propertySignatures.find((one) => one.name === name)
    if (found === undefined) {
      if (type.context?.isOptional !== true) return `${path} has no key "${String(name)}"`
    } else {
      const wrong = between(found.type, type, `"${String(name)}"`, inside)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}

/** What a value surely is, in words; unions and classes can be many things. */
const kindOf = (ast: SchemaAST.AST): string | undefined => {
  switch (ast._tag) {
    case "String":
    case "TemplateLiteral":
      return "a string"
    case "Number":
      return "a number"
    case "Boolean":
      return "a boolean"
    case "Void":
    case "Undefined":
      return "nothing"
    case "Arrays":
      return "an array"
    case "Objects":
      // A struct without fields takes any value but null and undefined.
      return ast.propertySignatures.length > 0 ? "an object" : undefined
    default:
      return undefined
  }
}
