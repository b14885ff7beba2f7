/**
 * Adding steps to a flow: what each method takes, and what the flow is afterwards.
 *
 * @since 0.1.0
 */
import type { Duration, Schema } from "effect"
import type { Otherwise } from "./Flow.ts"
import type { Flow, FlowTypes } from "./FlowBuilder.ts"
import type { Earlier, Fitting, FreeSlug, SourceStep, ToArray } from "./FlowChecks.ts"
import type { HandledFlow, Handlers, NoOthers, RequirementsOf, StepCalls } from "./FlowHandlers.ts"
import type {
  CommonOptions,
  MapOptions,
  SignalOptions,
  StepOptions,
  WorkOptions,
} from "./FlowOptions.ts"
import type {
  FlowType,
  JobType,
  JobTypes,
  MapType,
  Named,
  OnFailure,
  RunOutput,
  Seen,
  SkipsOf,
  StepError,
  TaskType,
  WaitType,
} from "./FlowTypes.ts"
import type * as Job from "./Job.ts"

type NoSchema = typeof Schema.Void
type NoError = typeof Schema.Never

/** A flow with one step more, of which the needed ones are no last steps any more. */
type Plus<F extends FlowTypes, K extends string, N extends string, Step> = Flow<
  F["slug"],
  F["~input"],
  F["~steps"] & Named<K, Step>,
  F["~needed"] | N
>

/** What a step sees that needs the steps `N`. */
type SeenIn<F extends FlowTypes, N extends string> = Seen<F["~steps"][N], F["~input"]>

/** How the steps `N` are skipped. */
type SkipsIn<F extends FlowTypes, N extends string> = [N] extends [never] ? never
  : F["~steps"][N]["skips"]

type SourceIn<F extends FlowTypes, Over> = SourceStep<Over, F["~steps"]>

/** Which options there are, besides their types. */
type Given<G extends string> = { readonly [P in G]?: unknown }

type AnyCommon = keyof CommonOptions<any, any, any, any>

/**
 * The methods that add a step, and the one that gives the steps their handlers. What a step is told
 * and what it is given follow from the steps before it, so a need that is no earlier step is an
 * error of types that says so.
 *
 * @category models
 * @since 0.1.0
 */
// The flow is inferred from `this`, in one piece, and no parameter of the interface: as one, each
// call would have the compiler go through all steps so far, several times.
export interface FlowSteps {
  /** Adds a step with a handler. */
  step<
    F extends FlowTypes,
    const K extends string,
    N extends string = never,
    O extends Job.SchemaInput = NoSchema,
    E extends Job.SchemaInput = NoError,
    W extends Otherwise = "skip",
    X extends Otherwise = "fail",
    U extends boolean = false,
    G extends keyof StepOptions<any, any, any, any, any, any, any> = never,
  >(
    this: F,
    slug: FreeSlug<K, F["~steps"]>,
    options?: StepOptions<Earlier<K, N, F["~steps"]>, SeenIn<F, N>, O, E, W, X, U> & Given<G>,
  ): Plus<F, K, N, TaskType<K, N, O, E, SkipsOf<SkipsIn<F, N>, G, W, X>, U>>

  /** Adds a step that has a task for each element of an array. */
  map<
    F extends FlowTypes,
    const K extends string,
    Over extends string,
    O extends Job.SchemaInput = NoSchema,
    E extends Job.SchemaInput = NoError,
    W extends Otherwise = "skip",
    X extends Otherwise = "fail",
    U extends boolean = false,
    C extends OnFailure = "fail",
    G extends keyof MapOptions<any, any, any, any, any, any, any, any> = never,
  >(
    this: F,
    slug: FreeSlug<K, F["~steps"]>,
    options:
      & MapOptions<
        ToArray<K, Over, F["~steps"], F["~input"]>,
        SeenIn<F, SourceIn<F, Over>>,
        O,
        E,
        W,
        X,
        U,
        C
      >
      & Given<G>,
  ): Plus<
    F,
    K,
    SourceIn<F, Over>,
    MapType<
      K,
      SourceIn<F, Over>,
      O,
      E,
      SkipsOf<SkipsIn<F, SourceIn<F, Over>>, G, W, X>,
      U,
      Over,
      C
    >
  >

  /** Adds a step that is a job: its schemas, its policy, its handler. */
  job<
    F extends FlowTypes,
    const K extends string,
    J extends Job.Any,
    N extends string = never,
    W extends Otherwise = "skip",
    X extends Otherwise = "fail",
    U extends boolean = false,
    G extends keyof WorkOptions<any, any, any, any, any, any> = never,
  >(
    this: F,
    slug: FreeSlug<K, F["~steps"]>,
    job: Fitting<K, J, SeenIn<F, N>, JobTypes<J>["input"], G>,
    options?:
      & WorkOptions<Earlier<K, N, F["~steps"]>, SeenIn<F, N>, JobTypes<J>["input"], W, X, U>
      & Given<G>,
  ): Plus<F, K, N, JobType<K, N, J, SkipsOf<SkipsIn<F, N>, G, W, X>, U>>

  /** Adds a step that is a run of another flow, cancelled and awaited with this one's. */
  flow<
    F extends FlowTypes,
    const K extends string,
    S extends FlowTypes,
    N extends string = never,
    W extends Otherwise = "skip",
    X extends Otherwise = "fail",
    U extends boolean = false,
    G extends keyof WorkOptions<any, any, any, any, any, any> = never,
  >(
    this: F,
    slug: FreeSlug<K, F["~steps"]>,
    flow: Fitting<K, S, SeenIn<F, N>, S["~input"], G>,
    options?:
      & WorkOptions<Earlier<K, N, F["~steps"]>, SeenIn<F, N>, S["~input"], W, X, U>
      & Given<G>,
  ): Plus<
    F,
    K,
    N,
    FlowType<
      K,
      N,
      S,
      RunOutput<S["~steps"], S["~needed"]>,
      StepError<S["~steps"]>,
      SkipsOf<SkipsIn<F, N>, G, W, X>,
      U
    >
  >

  /** Adds a step that waits for a signal, a value from outside, and holds no worker meanwhile. */
  waitFor<
    F extends FlowTypes,
    const K extends string,
    N extends string = never,
    O extends Job.SchemaInput = NoSchema,
    W extends Otherwise = "skip",
    X extends Otherwise = "fail",
    G extends keyof SignalOptions<any, any, any, any, any> = never,
  >(
    this: F,
    slug: FreeSlug<K, F["~steps"]>,
    options?: SignalOptions<Earlier<K, N, F["~steps"]>, SeenIn<F, N>, O, W, X> & Given<G>,
  ): Plus<F, K, N, WaitType<"signal", K, N, O, SkipsOf<SkipsIn<F, N>, G, W, X>>>

  /** Adds a step that lets time pass, and holds no worker meanwhile: up to 10 years. */
  sleep<
    F extends FlowTypes,
    const K extends string,
    N extends string = never,
    W extends Otherwise = "skip",
    X extends Otherwise = "fail",
    G extends AnyCommon = never,
  >(
    this: F,
    slug: FreeSlug<K, F["~steps"]>,
    duration: Duration.Input,
    options?: CommonOptions<Earlier<K, N, F["~steps"]>, SeenIn<F, N>, W, X> & Given<G>,
  ): Plus<F, K, N, WaitType<"sleep", K, N, NoSchema, SkipsOf<SkipsIn<F, N>, G, W, X>>>

  /** Gives the flow its handlers, by the slugs of the steps. */
  perform<F extends FlowTypes, H extends Handlers<F["~steps"], F["~input"]>>(
    this: F,
    handlers: H & NoOthers<H, F["~steps"]>,
  ): HandledFlow<F["slug"], RequirementsOf<H>, StepCalls<F["~steps"], F["~input"]>>
}
