/**
 * The driver's memory of definitions.
 *
 * @since 0.1.0
 */
import { Json, type Registry } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import { once, type Store } from "./Store.ts"

type Registered = Registry.Registered

/** Makes what remembers definitions.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store): Registry.Registry["Service"] => ({
  register: (definitions) => {
    const each = new Map(definitions.map((one) => [`${one.slug} ${one.version}`, one]))
    const all = [...each.values()]
    const params = [
      arrayLiteral(all.map(({ slug }) => slug)),
      arrayLiteral(all.map(({ version }) => version)),
      arrayLiteral(all.map(({ flowType }) => flowType)),
      arrayLiteral(all.map(({ options }) => JSON.stringify(options))),
    ]
    const { register } = store.statements
    return Effect.asVoid(once(store, "register definitions", (query) => query(register, params)))
  },
  registered: Effect.map(
    once(store, "read definitions", (query) => query(store.statements.registered, [])),
    (rows) =>
      rows.map((row): Registered => ({
        slug: row.slug as string,
        version: row.version as string,
        flowType: row.flow_type as Registered["flowType"],
        options: Json.parse(row.options as string) as Registered["options"],
      })),
  ),
})
