/**
 * Catches the real world: whoever takes the time, chance or a timer from the runtime while a seed
 * runs is named, since then the seed does not decide what happens.
 *
 * @since 0.1.0
 */

/** Something of the runtime that a simulated program must not touch. */
interface Real {
  readonly owner: object
  readonly property: string
  /** How people call it. */
  readonly name: string
  readonly instead: string
}

/** Is told of each use; answers the words of a refusal, or `undefined` where it is allowed.
 * @category models
 * @since 0.1.0 */
export type Report = (name: string, instead: string) => string | undefined

/**
 * Runs something synchronous with every real clock, timer and source of chance guarded. A refused
 * use throws; the guards are gone when this returns or throws.
 *
 * @category running
 * @since 0.1.0
 */
export const within = <A>(report: Report, run: () => A): A => {
  const restore: Array<() => void> = []
  try {
    for (const real of guarded()) restore.push(guard(real, report))
    restore.push(guardDate(report), guardPromise(report))
    return run()
  } finally {
    for (const undo of restore.reverse()) undo()
  }
}

/** Says who used what of the real world when, and what to do.
 * @category formatting
 * @since 0.1.0 */
export const words = (who: string, name: string, instead: string, atMillis: number): string => {
  const at = `at ${(atMillis / 1000).toFixed(3)} s of virtual time`
  return name === "a promise"
    ? `${who} waits for something outside of the simulation (a promise) ${at}: no virtual time ` +
      `passes there; let the simulation's state stand for it, with Effect.sync and Effect.sleep`
    : `${who} used ${name} ${at}: use ${instead}`
}

const guarded = (): ReadonlyArray<Real> => {
  const timer = "Effect.sleep"
  const all: Array<Real> = [
    { owner: Date, property: "now", name: "Date.now", instead: "Clock.currentTimeMillis" },
    { owner: Math, property: "random", name: "Math.random", instead: "Effect's Random" },
    ...["setTimeout", "setInterval", "setImmediate"].map((name) => globalOf(name, timer)),
    globalOf("queueMicrotask", "Effect.yieldNow"),
    globalOf("fetch", "a service that the simulation's state stands for"),
    ...["randomUUID", "getRandomValues"].map((property) => ({
      owner: crypto,
      property,
      name: `crypto.${property}`,
      instead: "Effect's Random",
    })),
    {
      owner: performance,
      property: "now",
      name: "performance.now",
      instead: "Clock.monotonicTimeNanos",
    },
  ]
  return all.filter(({ owner, property }) => property in owner)
}

const globalOf = (name: string, instead: string): Real => ({
  owner: globalThis,
  property: name,
  name,
  instead,
})

const guard = ({ owner, property, name, instead }: Real, report: Report): () => void => {
  const original = Reflect.get(owner, property) as (...args: ReadonlyArray<unknown>) => unknown
  return replaced(owner, property, function (this: unknown, ...args: ReadonlyArray<unknown>) {
    refuse(report(name, instead))
    return Reflect.apply(original, this === undefined ? globalThis : this, args)
  })
}

/** A date that is given its time is harmless; one that is not reads the clock. */
const guardDate = (report: Report): () => void => {
  const check = () => refuse(report("new Date()", "DateTime.now"))
  const guardedDate: DateConstructor = new Proxy(Date, {
    construct: (target, args, newTarget): object => {
      if (args.length === 0) check()
      return Reflect.construct(target, args, newTarget === guardedDate ? target : newTarget)
    },
    apply: (target, self, args) => {
      check()
      return Reflect.apply(target, self, args)
    },
  })
  return replaced(globalThis, "Date", guardedDate)
}

/** Effect awaits a promise by its `then`, in the fiber that waits for it. */
const guardPromise = (report: Report): () => void => {
  const original = Promise.prototype.then as (...args: ReadonlyArray<unknown>) => unknown
  return replaced(
    Promise.prototype,
    "then",
    function (this: Promise<unknown>, ...args: ReadonlyArray<unknown>) {
      const refusal = report("a promise", "")
      // Nobody will look at it any more, and its rejection must not end the program.
      if (refusal !== undefined) Reflect.apply(original, this, [ignore, ignore])
      refuse(refusal)
      return Reflect.apply(original, this, args)
    },
  )
}

const ignore = (): void => {}

const refuse = (refusal: string | undefined): void => {
  if (refusal !== undefined) throw new Error(refusal)
}

const replaced = (owner: object, property: string, value: unknown): () => void => {
  const before = Object.getOwnPropertyDescriptor(owner, property)
  Object.defineProperty(owner, property, { value, configurable: true, writable: true })
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, property)
    else Object.defineProperty(owner, property, before)
  }
}
