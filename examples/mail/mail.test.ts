import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert"
import { Duration, Effect, Layer, Schedule } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { readMailbox } from "./mailbox.ts"
import { MailDeferred, Mailer, MailRejected } from "./mailer.ts"
import { parseRecipients, readRecipients } from "./recipients.ts"
import { Sink } from "./sink.ts"

const csv = fileURLToPath(new URL("../recipients.csv", import.meta.url))

const letter = (to: string) => ({
  to,
  subject: `Grüße an ${to}`,
  body: "Good morning,\n.\n.. and goodbye\n",
  messageId: `<${to.replace(/\W/g, ".")}@millrace.example>`,
})

const mail = (to: string) => Mailer.use((mailer) => mailer.send(letter(to)))

/** Runs against a sink of its own, whose mailbox is a folder of its own. */
const withSink = <A, E>(use: (folder: string) => Effect.Effect<A, E, Mailer | Sink>) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "millrace-mail-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true })),
    )
    const mailer = Layer.unwrap(Effect.map(Sink, Mailer.layer))
    const sink = Sink.layer({ mailbox: folder, slowReply: "3 seconds" })
    return yield* Effect.provide(use(folder), Layer.provideMerge(mailer, sink))
  }).pipe(Effect.scoped, Effect.runPromise)

describe("recipients", () => {
  it("reads the example's file, and reports its one bad row with its line", async () => {
    const { recipients, badRows } = await Effect.runPromise(readRecipients(csv))
    assertEquals(recipients.length, 39)
    assertEquals(badRows, [{ line: 20, reason: 'Expected an email address at ["email"]' }])
    const names = recipients.map(({ name }) => name)
    for (const name of ["Jürgen Müller", "Hopper, Grace", 'Ken "ken" Thompson']) {
      assertEquals(names.includes(name), true, name)
    }
  })

  it("goes on after a broken row, and reports each once", () => {
    const rows = ["a@a.test,A,free,more", 'b@b.test,"B\nB",team', 'c@c.test,C"c"C,free', ",,gold"]
    const { recipients, badRows } = parseRecipients(["email,name,plan", ...rows].join("\n"))
    assertEquals(recipients, [{ email: "b@b.test", name: "B\nB", plan: "team" }])
    assertEquals(badRows.map(({ line }) => line), [2, 5, 6])
  })

  it("reports a quote that is never closed", () => {
    const { recipients, badRows } = parseRecipients('email,name,plan\na@a.test,"A,free\nb@b.test')
    assertEquals(recipients, [])
    assertMatch(badRows[0]?.reason ?? "", /Quote Not Closed/)
  })

  it("fails in one line for a file that is not there", async () => {
    const error = await Effect.runPromise(Effect.flip(readRecipients("/no/such/file.csv")))
    assertMatch(error.message, /^Cannot read recipients from "\/no\/such\/file.csv": ENOENT[^\n]*$/)
  })
})

describe("sink and mailer", () => {
  it("delivers, and stores a mail that comes twice once", () =>
    withSink((folder) =>
      Effect.gen(function* () {
        const { accepted } = yield* mail("ada@example.com")
        assertMatch(accepted, /^250 /)
        yield* mail("ada@example.com")
        const { to, messageId } = letter("ada@example.com")
        const stored = yield* readMailbox(folder)
        assertEquals(stored.map((mail) => [mail.to, mail.messageId]), [[to, messageId]])
        assertMatch(stored[0]?.subject ?? "", /^=\?UTF-8\?.*\?=$/)
        assertEquals((yield* Effect.flatMap(Sink, (sink) => sink.delivered)).length, 2)
      })
    ))

  it("defers a greylisted recipient once, with 451", () =>
    withSink(() =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(mail("a@greylist.example"))
        assertInstanceOf(error, MailDeferred)
        assertEquals([error.code, error.text], [451, "4.7.1 Greylisted, try again"])
        yield* mail("a@greylist.example")
      })
    ))

  it("rejects an unknown recipient, and an address that is none", () =>
    withSink(() =>
      Effect.gen(function* () {
        const unknown = yield* Effect.flip(mail("a@gone.example"))
        assertInstanceOf(unknown, MailRejected)
        assertEquals([unknown.code, unknown.text], [550, "5.1.1 No such user here"])
        assertInstanceOf(yield* Effect.flip(mail("")), MailRejected)
        assertInstanceOf(yield* Effect.flip(mail("x@example.com, y@example.com")), MailRejected)
      })
    ))

  it("is interrupted at once while the server is slow, and gets through the next time", () =>
    withSink(() =>
      Effect.gen(function* () {
        const late = mail("a@slow.example").pipe(Effect.timeoutOption("400 millis"), Effect.timed)
        const [elapsed, outcome] = yield* late
        assertEquals(outcome._tag, "None")
        assertEquals(Duration.toMillis(elapsed) < 2000, true)
        yield* mail("a@slow.example")
      })
    ))

  it("defers when nobody listens", async () => {
    const mailer = Mailer.layer({ host: "127.0.0.1", port: 1 })
    const error = await Effect.runPromise(
      mail("ada@example.com").pipe(Effect.flip, Effect.provide(mailer)),
    )
    assertInstanceOf(error, MailDeferred)
    assertEquals(error.code, 421)
  })

  it("stops with a client in the middle of a session, and gives the port back", async () => {
    const port = await withSink(() =>
      Effect.gen(function* () {
        yield* Effect.forkChild(Effect.exit(mail("a@stuck.example")))
        yield* Effect.sleep("300 millis")
        return (yield* Sink).port
      })
    )
    const refused = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1")
      socket.on("connect", () => resolve(socket.destroy() && false))
      socket.on("error", () => resolve(true))
    })
    assertEquals(refused, true)
  })

  it("accounts for every recipient of the example's file", () =>
    withSink((folder) =>
      Effect.gen(function* () {
        const { recipients } = yield* readRecipients(csv)
        const outcomes = yield* Effect.forEach(recipients, ({ email }) => deliver(email), {
          concurrency: 10,
        })
        const stored = (yield* readMailbox(folder)).map(({ to }) => to)
        const failed = outcomes.filter(({ reason }) => reason !== undefined)
        assertEquals(failed.map(({ reason }) => reason).sort(), ["", "550", "550", "550"])
        const all = [...stored, ...failed.map(({ email }) => email)].sort()
        assertEquals(all, recipients.map(({ email }) => email).sort())
      })
    ))
})

/** What the job does: at most three attempts, each with a timeout, and none after a rejection. */
const deliver = (email: string) =>
  mail(email).pipe(
    Effect.timeout("1 second"),
    Effect.retry({
      schedule: Schedule.spaced("50 millis"),
      times: 2,
      while: (error) => error._tag !== "MailRejected",
    }),
    Effect.match({
      onFailure: (error) => ({ email, reason: "code" in error ? String(error.code) : "" }),
      onSuccess: () => ({ email, reason: undefined }),
    }),
  )
