import { Conformance } from "@millrace/testing"
import { describe, it } from "node:test"
import { skips } from "./skips.ts"
import { onServer, serverUrl } from "./stores.ts"

describe("the PostgreSQL driver", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const { run } = onServer()
  for (const { name, effect } of Conformance.run({ skip: skips })) it(name, () => run(effect))
})
