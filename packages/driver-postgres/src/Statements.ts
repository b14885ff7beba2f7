/**
 * Every statement of the driver, written once for a schema.
 *
 * @since 0.1.0
 */
import * as SchemaName from "./SchemaName.ts"
import { apply } from "./statements/Apply.ts"
import { claim, claimEldest, claimFrom } from "./statements/Claim.ts"
import * as Definitions from "./statements/Definitions.ts"
import * as Expire from "./statements/Expire.ts"
import { find, progress } from "./statements/Find.ts"
import * as Heartbeat from "./statements/Heartbeat.ts"
import { insert } from "./statements/Insert.ts"
import { insertNew } from "./statements/InsertNew.ts"
import { insertOne } from "./statements/InsertOne.ts"
import * as Keys from "./statements/Keys.ts"
import { forMore, insertFlow, insertStarted } from "./statements/InsertFlow.ts"
import * as Limited from "./statements/Limited.ts"
import * as Limits from "./statements/Limits.ts"
import * as Overdue from "./statements/Overdue.ts"
import * as Prune from "./statements/Prune.ts"
import * as Queues from "./statements/Queues.ts"
import { countLabels, dropLabels } from "./statements/Labels.ts"
import { list } from "./statements/List.ts"
import { report } from "./statements/Report.ts"
import * as Schedules from "./statements/Schedules.ts"
import { entries, settle, settleEnds } from "./statements/Settle.ts"
import { settleReporting, settleReportingEnds } from "./statements/SettleReporting.ts"
import { lockRuns, lockTasks, standing, standingOfRuns } from "./statements/Standing.ts"
import { arm, channelOf, disarm } from "./statements/Wake.ts"

/**
 * The texts of the statements, with `$n` for parameters; nothing but the schema's name is written
 * into them.
 *
 * @category models
 * @since 0.1.0
 */
export type Statements = ReturnType<typeof make>

const limited = (schema: string, channel: string) => ({
  tell: `select pg_notify('${channel}', $1::text)`,
  lockLimits: Limited.lockLimits(schema),
  look: Limited.look(schema),
  nextDue: Limited.nextDue(schema),
  keys: Limited.keys(schema),
  hasKeyless: Limited.hasKeyless(schema),
  ofKeys: Limited.ofKeys(schema),
  firstOf: Limited.firstOf(schema),
  eldestOf: Limited.eldestOf(schema),
  take: Limited.take(schema),
  granted: Limited.granted(schema),
  lockClaims: Limits.lockClaims(schema),
  readLimits: Limits.readLimits(schema),
  makeLimits: Limits.makeLimits(schema),
  sayLimits: Limits.sayLimits(schema),
  countBefore: Limits.countBefore(schema),
  dropLimits: Limits.dropLimits(schema),
  group: Limits.group(schema),
  depths: Limits.depths(schema),
  lockDepths: Limits.lockDepths(schema),
  depth: Limits.depth(schema),
})

const keys = (schema: string) => ({
  lockKeys: Keys.lockKeys(schema),
  keepWaiting: Keys.keepWaiting(schema),
  takeKeys: Keys.takeKeys(schema),
  dropKeys: Keys.dropKeys(schema),
  freeKeys: Keys.freeKeys(schema),
})

const reading = (schema: string) => ({
  find: {
    all: find(schema, "all"),
    ids: find(schema, "ids"),
    runs: find(schema, "runs"),
    parents: find(schema, "parents"),
  },
  oldest: lists(schema, false),
  newest: lists(schema, true),
  progress: progress(schema),
  queueStates: Queues.queueStates(schema),
})

const lists = (schema: string, descending: boolean) => ({
  all: list(schema, "all", descending),
  ids: list(schema, "ids", descending),
  runs: list(schema, "runs", descending),
  parents: list(schema, "parents", descending),
  key: list(schema, "key", descending),
  labels: list(schema, "labels", descending),
  states: list(schema, "states", descending),
})

const inserts = (schema: string, channel: string) => ({
  insertNew: insertNew(schema, channel),
  insertOne: insertOne(schema, channel),
  insert: insert(schema, channel, { groups: false, counted: false }),
  insertGroups: insert(schema, channel, { groups: true, counted: false }),
  insertCounted: insert(schema, channel, { groups: false, counted: true }),
  insertCountedGroups: insert(schema, channel, { groups: true, counted: true }),
  insertExpiring: insert(schema, channel, { groups: true, expires: true, counted: false }),
  insertCountedExpiring: insert(schema, channel, { groups: true, expires: true, counted: true }),
  insertFlow: forMore((more) => insertFlow(schema, channel, { counted: false, more })),
  insertFlowCounted: forMore((more) => insertFlow(schema, channel, { counted: true, more })),
  insertStarted: forMore((more) => insertStarted(schema, more)),
  dropLabels: dropLabels(schema),
  countLabels: countLabels(schema),
})

const pruning = (schema: string) => ({
  lockEnded: Prune.lockEnded(schema),
  lockRunsEnded: Prune.lockRunsEnded(schema),
  lockRunsBeyond: Prune.lockRunsBeyond(schema),
  lockBelow: Prune.lockBelow(schema),
  deleteEnded: Prune.deleteEnded(schema),
  trimClaims: Prune.trimClaims(schema),
  deleteSteps: Prune.deleteSteps(schema),
  dropClaims: Prune.dropClaims(schema),
})

const heartbeats = (schema: string) => ({
  beat: Heartbeat.beat(schema),
  beatReporting: Heartbeat.beatReporting(schema),
  end: Heartbeat.end(schema),
})

/** Writes the statements for a schema.
 * @category constructors
 * @since 0.1.0 */
export const make = (schemaName: string) => {
  const schema = SchemaName.quoted(schemaName)
  const channel = channelOf(schemaName)
  return {
    channel,
    ...inserts(schema, channel),
    ...keys(schema),
    claim: claim(schema),
    claimFrom: claimFrom(schema),
    claimEldest: claimEldest(schema),
    limited: limited(schema, channel),
    arm: arm(schema),
    disarm: disarm(schema),
    settle: settle(schema, channel),
    settleEnds: settleEnds(schema),
    settleReporting: settleReporting(schema, channel),
    settleReportingEnds: settleReportingEnds(schema, channel),
    report: report(schema, channel),
    entries: entries(schema),
    apply: apply(schema, channel),
    lockTasks: lockTasks(schema),
    standing: standing(schema),
    lockRuns: lockRuns(schema),
    standingOfRuns: standingOfRuns(schema),
    lockWorkers: Expire.lockWorkers(schema),
    lockClaims: Expire.lockClaims(schema),
    unsettled: Expire.unsettled(schema),
    deleteClaims: Expire.deleteClaims(schema),
    deleteWorkers: Expire.deleteWorkers(schema),
    forgetBegun: Overdue.forgetBegun(schema),
    overdue: Overdue.overdue(schema),
    ...heartbeats(schema),
    ...reading(schema),
    allowScans: Prune.allowScans,
    ...pruning(schema),
    register: Definitions.register(schema),
    registered: Definitions.registered(schema),
    ...Schedules.statements(schema, channel),
    readQueues: Queues.readQueues(schema),
    makeQueues: Queues.makeQueues(schema),
    allQueues: Queues.allQueues(schema),
  } as const
}
