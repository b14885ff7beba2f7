import { Conformance } from "@millrace/testing"
import { describe, it } from "node:test"
import { skips } from "./skips.ts"
import { embedded } from "./stores.ts"

describe("the embedded driver", () => {
  const { run } = embedded()
  for (const { name, effect } of Conformance.run({ skip: skips })) it(name, () => run(effect))
})
