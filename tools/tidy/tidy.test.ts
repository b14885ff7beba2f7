/**
 * The source as its own subject: what the style says, where a machine can tell.
 *
 * Every rule is also shown to catch an offender, because a rule that never fails is worth nothing.
 */
import { assert, assertEquals } from "@std/assert"
import { describe, it } from "node:test"
import { functionsOf } from "./functions.ts"
import * as Rules from "./rules.ts"
import { exportsOf, importsOf, readSources, root, type SourceFile, sourceFile } from "./source.ts"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const packages = readdirSync(join(root, "packages"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
const sources = packages.flatMap((name) => readSources(`packages/${name}/src`))
const others = [
  ...packages.flatMap((name) => readSources(`packages/${name}/test`)),
  ...readSources("examples"),
]

function core(text: string, name = "Example"): ReadonlyArray<SourceFile> {
  return [sourceFile(`packages/core/src/${name}.ts`, text)]
}

const lines = (count: number) => "  x\n".repeat(count)

const rules: ReadonlyArray<{
  readonly name: string
  readonly check: (sources: Rules.Sources) => ReadonlyArray<string>
  readonly good: Rules.Sources
  readonly bad: Rules.Sources
  /** How many offenders there are in `bad`; default 1. */
  readonly count?: number
}> = [
  {
    name: "a file has at most 300 lines",
    check: Rules.longFileOffenders,
    good: core(lines(300)),
    bad: core(lines(301)),
  },
  {
    name: "a function has at most 60 lines",
    check: Rules.longFunctionOffenders,
    good: core(`function f(): void {\n${lines(58)}}\nif (f()) {\n${lines(80)}}\n`),
    bad: core(
      `const f = (a: A): A => {\n${lines(60)}}\nclass A {\n  f(a: A): Map<A, B> {\n${
        lines(60)
      }}\n}`,
    ),
    count: 2,
  },
  {
    name: "a line has at most 100 columns",
    check: Rules.longLineOffenders,
    good: core("x".repeat(100)),
    bad: core("x".repeat(101)),
  },
  {
    name: "core, the memory driver and testing read time, randomness and ids from services",
    check: Rules.impureOffenders,
    good: core('// await Date.now()\nconst s = "await x"; new Date(1); Deferred.await(d)\n'),
    bad: core("Date.now()\nnew Date()\nMath.random()\nasync () => {}\n`${await f()}`\nconsole.log"),
    count: 6,
  },
  {
    name: "nothing is cast to any",
    check: Rules.anyCastOffenders,
    good: core("const a: Array<any> = x as unknown // as any"),
    bad: core("x as any"),
  },
  {
    name: "nothing is left to do",
    check: Rules.unfinishedOffenders,
    good: core("// Done."),
    bad: core("// TODO"),
  },
  {
    name: "a package imports only what it may, and dependencies point one way",
    check: Rules.importOffenders,
    good: core(
      'import { Effect } from "effect"\nexport * from "./Job.ts"\nimport type {} from "effect/sql"',
    ),
    bad: core(
      'import "@millrace/driver-memory"\nimport {\n  a\n} from "../../testing/src/a.ts"\nimport fs from "node:fs"',
    ),
    count: 3,
  },
  {
    name: "an exported function, class or const has a docstring with a summary",
    check: Rules.docstringOffenders,
    good: core("/**\n * Does it.\n */\nexport function f(): void {}\nexport type A = 1\n"),
    bad: core(
      "/** Other. */\nconst a = 1\nexport const b = 2\n/**\n * @since 1\n */\nexport class C {}\n",
    ),
    count: 2,
  },
  {
    name: "no file and no export has a banned word in its name",
    check: Rules.bannedNameOffenders,
    good: core("export const itemize = 1\nexport const run = 2\n"),
    bad: core("export const jobManager = 1\nexport interface Items {}\n", "processJobs"),
    count: 3,
  },
  {
    name: "every file is imported, or is an entry",
    check: (files) => Rules.unusedFileOffenders(files, others),
    good: [...core('import "./Used.ts"', "index"), ...core("", "Used")],
    bad: [...core('import "./Used.ts"', "index"), ...core("", "Unused")],
  },
]

describe("the source", () => {
  it("is there", () => assert(sources.length >= packages.length, "no source file was found"))

  for (const rule of rules) {
    it(rule.name, () => {
      const offenders = rule.check(sources)
      assert(offenders.length === 0, `${rule.name}, but:\n  ${offenders.join("\n  ")}\n`)
    })
  }

  it("creates the tables that ARCHITECTURE.md tells of, and no others", () => {
    const created = readSources("packages/driver-postgres/src/migrations")
      .flatMap(({ text }) => [...text.matchAll(/create table \{schema\}\.(\w+)/g)])
    const document = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")
    const told = /\n\| Table [^\n]*\n((?:\|[^\n]*\n)+)/.exec(document)?.[1] ?? ""
    const rows = [...told.matchAll(/^\| `(\w+)`/gm)]
    assertEquals(rows.map(([, name]) => name).sort(), created.map(([, name]) => name).sort())
  })

  it("has no exception for a file that is not there", () => {
    const excepted = [...Object.keys(Rules.longFiles), ...Rules.impureUses.map(({ path }) => path)]
    const paths = sources.map((file) => file.path)
    assertEquals(excepted.filter((path) => !paths.includes(path)), [])
  })
})

describe("the rules of the source", () => {
  for (const rule of rules) {
    it(`can tell whether ${rule.name}`, () => {
      assertEquals(rule.check(rule.good), [])
      const offenders = rule.check(rule.bad)
      assertEquals(offenders.length, rule.count ?? 1, offenders.join("\n"))
      for (const offender of offenders) assert(/^\S+:\d+: ./.test(offender), offender)
    })
  }

  it("see code in templates, and neither strings, comments nor regular expressions", () => {
    const text = "`a ${b({ c: `d ${e} f` })} g` + 'h' /* i */ + /[/]j`/.k // l\nm"
    const [file] = core(text)
    assertEquals(file?.bare.replaceAll(/[^\w\n]/g, ""), "bcek\nm")
    assertEquals(file?.text.length, file?.bare.length)
  })

  it("find functions, and no other blocks", () => {
    const [file] = core(
      "function a(b: { c: 1 }): { d: 2 } {\n}\nfunction* e() {}\nconst f = (g: 1): 2 => {}\n" +
        "class H extends I() {\n  j(): Map<K, () => L> {}\n}\nif (m) {} else {}\nconst n = { o: 1 }\n" +
        "interface P { q: 1 }\nswitch (r) { case s: {} }\ncall(function*(t) {})\nexport {}\n",
    )
    assertEquals(functionsOf(file!.bare).length, 5)
  })

  it("find imports and exports", () => {
    const [file] = core(
      'import a, { b } from "c"\nexport const d = 1\nexport function* e() {}\nimport("f")\n' +
        'export {\n  g,\n} from "h"\nexport const i = "import x from y"\n',
    )
    assertEquals(importsOf(file!).map(({ specifier }) => specifier), ["c", "h", "f"])
    assertEquals(exportsOf(file!).map(({ name }) => name), ["d", "e", "i"])
  })
})
