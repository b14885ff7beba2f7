/**
 * What the example worker must have done in the end, derived from `examples/recipients.csv` alone:
 * each recipient is delivered once, or has failed for the reason that its domain stands for.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./command.mjs"

/** The domains at which mail fails, and a part of the reason; everybody else is delivered. */
const failing = { "gone.example": "550 5.1.1", "stuck.example": "TimedOut" }
/** The domains that only take a second attempt. */
const difficult = ["greylist.example", "slow.example"]

const domainOf = (email) => email.slice(email.lastIndexOf("@") + 1)

/** Everybody in the file whose address is one. */
function recipients() {
  const csv = readFileSync(join(root, "examples/recipients.csv"), "utf8")
  return [...csv.matchAll(/^([^\s@,"]+@[^\s@,"]+),/gm)].map(([, email]) => email)
}

/** Compares a summary with the file, and answers what is wrong with it, a line each. */
export function summaryProblems(stdout) {
  const summary = /^delivered: (\d+), (\d+) of them after a retry\nfailed: (\d+)\n((?: {2}.*\n)*)/m
    .exec(stdout)
  if (summary === null) return ["there is no summary"]
  const [, delivered, retried, failed, reasons] = summary
  const everybody = recipients()
  const lost = everybody.filter((email) => domainOf(email) in failing)
  const patient = everybody.filter((email) => difficult.includes(domainOf(email)))
  const told = reasonsOf(reasons)
  return [
    ...unless(Number(delivered) === everybody.length - lost.length, `delivered: ${delivered}`),
    ...unless(Number(retried) >= patient.length, `after a retry: ${retried}`),
    ...unless(Number(failed) === lost.length, `failed: ${failed}`),
    ...lost.flatMap((email) =>
      unless(
        told.get(email)?.includes(failing[domainOf(email)]),
        `${email} failed with "${told.get(email)}"`,
      )
    ),
  ]
}

/** Looks for the mail of each recipient, and answers who has none, or more than one. */
export function mailboxProblems(folder) {
  const counts = new Map()
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".eml")) continue
    const mail = readFileSync(join(folder, name), "utf8")
    const email = /^Delivered-To: (\S+)\r$/m.exec(mail)?.[1]
    counts.set(email, (counts.get(email) ?? 0) + 1)
  }
  return recipients().flatMap((email) => {
    const wanted = domainOf(email) in failing ? 0 : 1
    const count = counts.get(email) ?? 0
    return unless(count === wanted, `${email} has ${count} mails and not ${wanted}`)
  })
}

/** Reads the failures of a summary: a reason in one line, and below it whom it hit. */
function reasonsOf(lines) {
  const told = new Map()
  let reason = ""
  for (const line of lines.split("\n")) {
    if (line.startsWith("    ")) told.set(line.trim(), reason)
    else reason = line.trim()
  }
  return told
}

const unless = (holds, problem) => holds ? [] : [problem]
