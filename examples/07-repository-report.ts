/**
 * A flow over real files: reads the Markdown and TypeScript of this repository, counts words, finds
 * links and blocks of code, checks the links, waits for somebody to approve, and writes a report.
 */
import { Flow, Runs, Worker } from "@millrace/core"
import { Embedded } from "@millrace/driver-postgres"
import { Console, Effect, Layer, References, Schema } from "effect"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { analyse, Analysis } from "./report/analysis.ts"
import * as Files from "./report/files.ts"
import { type Broken, render } from "./report/render.ts"

const Link = Schema.Struct({ path: Schema.String, link: Schema.String })

class Report extends Flow.make("report", { input: { directory: Schema.String } })
  .step("list", { output: Schema.Array(Schema.String) })
  .map("analyse", { over: "list", output: Analysis, maxAttempts: 3, timeout: "10 seconds" })
  .step("check_links", { needs: ["analyse"], output: Schema.Array(Link) })
  // Only where there is something to repair.
  .step("list_broken", {
    needs: ["check_links"],
    when: ({ check_links }) => check_links.length > 0,
    output: Schema.String,
  })
  .waitFor("approve", { needs: ["check_links"], output: { by: Schema.String }, timeout: "1 day" })
  .step("write", {
    needs: ["analyse", "list_broken", "approve"],
    output: { path: Schema.String },
  }) {}

const report = Report.perform({
  list: () => Files.list,
  analyse: (path) => Effect.map(Files.read(path), (text) => analyse(path, text)),
  check_links: ({ analyse }) =>
    Effect.map(
      Effect.forEach(analyse, ({ path, links }) =>
        Effect.map(Files.broken(path, links), (links) =>
          links.map((link) => ({ path, link })))),
      (found) =>
        found.flat(),
    ),
  list_broken: ({ check_links }) => Effect.succeed(linesOf(check_links)),
  write: ({ analyse, list_broken, approve }, ctx) =>
    Effect.gen(function* () {
      const { directory } = ctx.input as { readonly directory: string }
      const path = join(directory, "report.md")
      const text = render(analyse, list_broken, approve.by)
      yield* Effect.promise(() => writeFile(path, text))
      return { path }
    }),
})

const linesOf = (broken: ReadonlyArray<Broken>) =>
  broken.map(({ path, link }) => `- ${path}: ${link}`).join("\n")

const program = Effect.gen(function* () {
  yield* Console.log(Flow.toMermaid(Report.definition))
  const directory = yield* Effect.promise(() => mkdtemp(join(tmpdir(), "millrace-report-")))
  const id = yield* Report.start({ directory })
  yield* Report.signal(id, "approve", { by: "ada" })
  const { write } = yield* Report.await(id)
  const written = yield* Effect.promise(() => readFile(write.path, "utf8"))
  yield* Effect.promise(() => rm(directory, { recursive: true }))

  // The same without Millrace: one file after the other.
  const analyses = yield* Effect.forEach(
    yield* Files.list,
    (path) => Effect.map(Files.read(path), (text) => analyse(path, text)),
  )
  yield* Console.log(
    `the report is what a plain loop makes: ${written === render(analyses, undefined, "ada")}`,
  )
  for (const { step, state, counts } of yield* Runs.steps(id)) {
    const tasks = step === "analyse" ? counts.tasks === analyses.length : counts.tasks === 1
    yield* Console.log(`${step}: ${state}${tasks ? "" : ", with another number of tasks"}`)
  }
})

const live = Worker.layer({ flows: [report], queues: { report: { concurrency: 50 } } }).pipe(
  Layer.provideMerge(Embedded.layer({ directory: undefined })), // or Postgres.layer({ url })
)
await Effect.runPromise(
  program.pipe(Effect.provide(live), Effect.provideService(References.MinimumLogLevel, "None")),
)
