/** Reads the JUnit reports of `bun test` and `deno test`. */

const attributes = `(?:[^>"]|"[^"]*")*?`
const testcase = new RegExp(`<testcase\\b(${attributes})(?:/>|>([\\s\\S]*?)</testcase>)`, "g")

/** Counts the cases of a report and names those that failed. */
export function readJunit(xml) {
  const counts = { passed: 0, skipped: 0, failed: [] }
  for (const { title, body } of casesOf(xml)) {
    if (/<(failure|error)\b/.test(body)) counts.failed.push(title)
    else if (/<skipped\b/.test(body)) counts.skipped++
    else counts.passed++
  }
  return counts
}

/** The cases without the groups, which Deno reports as cases, too: `a` beside `a > b`. */
function casesOf(xml) {
  const cases = [...xml.matchAll(testcase)].map(([, head, body = ""]) => ({
    name: read(head, "name"),
    title: [read(head, "file"), read(head, "name")].filter(Boolean).join(": "),
    body,
  }))
  const groups = new Set(cases.flatMap(({ name }) => {
    const parts = name.split(" > ")
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "))
  }))
  return cases.filter(({ name, body }) => !groups.has(name) || failsByItself(body))
}

/** A group also fails because a case in it did, which is counted already. */
function failsByItself(body) {
  return /<(failure|error)\b/.test(body) && !/message="\d+ test steps? failed"/.test(body)
}

function read(head, attribute) {
  const value = head.match(new RegExp(`\\b${attribute}="([^"]*)"`))?.[1] ?? ""
  const entities = { lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", "#x27": "'", amp: "&" }
  return value.replace(/&([#\w]+);/g, (whole, entity) => entities[entity] ?? whole)
}
