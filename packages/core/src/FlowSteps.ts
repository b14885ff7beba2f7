/**
 * Adding steps to a flow: what each method takes, and what the flow is afterwards.
 *
 * @since 0.1.0
 */
import type { Duration, Schema } from "effect"
import type { Otherwise } from "./Flow.ts"
import type { Flow } from "./FlowBuilder.ts"
import type {
  CommonOptions,
  MapOptions,
  SignalOptions,
  StepOptions,
  WorkOptions,
} from "./FlowOptions.ts"
import type {
  ArrayPath,
  Conversion,
  Earlier,
  ElementAt,
  FreeSlug,
  Made,
  MapValue,
  Modes,
  NeedsOf,
  OnFailure,
  Pattern,
  RunOutput,
  Seen,
  StepError,
  StepType,
  StepTypes,
} from "./FlowTypes.ts"
import type * as Job from "./Job.ts"

type None = readonly []
type NoSchema = typeof Schema.Void
type NoError = typeof Schema.Never

/** A flow with one step more, of which the needed ones are no last steps any more. */
type Plus<
  Slug extends string,
  I,
  Steps extends StepTypes,
  Needed extends string,
  K extends string,
  Step extends StepType,
  N extends string,
> = Flow<Slug, I, Steps & { readonly [k in K]: Step }, Needed | N>

/**
 * The methods that add a step. What a step is told and what it is given follow from the steps
 * before it, so a need that is no earlier step is an error of types that says so.
 *
 * @category models
 * @since 0.1.0
 */
export interface FlowSteps<
  Slug extends string,
  I,
  Steps extends StepTypes,
  Needed extends string,
> {
  /** Adds a step with a handler. */
  step<
    const K extends string,
    const N extends ReadonlyArray<string> = None,
    O extends Job.SchemaInput = NoSchema,
    E extends Job.SchemaInput = NoError,
    const F extends Pattern<Seen<I, Steps, N>> = never,
    const G extends Pattern<Seen<I, Steps, N>> = never,
    const P extends boolean = never,
    const W extends Otherwise = "skip",
    const X extends Otherwise = "fail",
    const U extends boolean = false,
  >(
    slug: FreeSlug<K, Steps>,
    options?: StepOptions<Earlier<N, Steps, K>, O, E, F, G, P, W, X, U, Seen<I, Steps, N>>,
  ): Plus<
    Slug,
    I,
    Steps,
    Needed,
    K,
    Made<
      "handler",
      Seen<I, Steps, N>,
      Job.TypeOf<O>,
      Job.TypeOf<E>,
      Job.TypeOf<O>,
      Modes<F, G, P, W, X, U>,
      Steps,
      N
    >,
    N[number]
  >

  /** Adds a step that has a task for each element of an array. */
  map<
    const K extends string,
    const Path extends string,
    O extends Job.SchemaInput = NoSchema,
    E extends Job.SchemaInput = NoError,
    const F extends Pattern<Seen<I, Steps, NeedsOf<Path>>> = never,
    const G extends Pattern<Seen<I, Steps, NeedsOf<Path>>> = never,
    const P extends boolean = never,
    const W extends Otherwise = "skip",
    const X extends Otherwise = "fail",
    const U extends boolean = false,
    const C extends OnFailure = "fail",
  >(
    slug: FreeSlug<K, Steps>,
    options: MapOptions<
      ArrayPath<Path, I, Steps>,
      O,
      E,
      F,
      G,
      P,
      W,
      X,
      U,
      C,
      Seen<I, Steps, NeedsOf<Path>>
    >,
  ): Plus<
    Slug,
    I,
    Steps,
    Needed,
    K,
    Made<
      "handler",
      ElementAt<I, Steps, Path>,
      Job.TypeOf<O>,
      Job.TypeOf<E>,
      MapValue<Job.TypeOf<O>, Job.TypeOf<E>, C>,
      Modes<F, G, P, W, X, U>,
      Steps,
      NeedsOf<Path>
    >,
    NeedsOf<Path>[number]
  >

  /** Adds a step that is a job: its schemas, its policy, its handler. */
  job<
    const K extends string,
    JobSlug extends string,
    JI,
    JO,
    JE,
    const N extends ReadonlyArray<string> = None,
    const F extends Pattern<Seen<I, Steps, N>> = never,
    const G extends Pattern<Seen<I, Steps, N>> = never,
    const P extends boolean = never,
    const W extends Otherwise = "skip",
    const X extends Otherwise = "fail",
    const U extends boolean = false,
  >(
    slug: FreeSlug<K, Steps>,
    job: Job.Job<JobSlug, JI, JO, JE>,
    options:
      & WorkOptions<Earlier<N, Steps, K>, F, G, P, W, X, U, Seen<I, Steps, N>>
      & Conversion<Seen<I, Steps, N>, JI>,
  ): Plus<
    Slug,
    I,
    Steps,
    Needed,
    K,
    Made<"job", Job.Job<JobSlug, JI, JO, JE>, JO, JE, JO, Modes<F, G, P, W, X, U>, Steps, N>,
    N[number]
  >

  /** Adds a step that is a run of another flow, cancelled and awaited with this one's. */
  flow<
    const K extends string,
    SubSlug extends string,
    SI,
    SubSteps extends StepTypes,
    SubNeeded extends string,
    const N extends ReadonlyArray<string> = None,
    const F extends Pattern<Seen<I, Steps, N>> = never,
    const G extends Pattern<Seen<I, Steps, N>> = never,
    const P extends boolean = never,
    const W extends Otherwise = "skip",
    const X extends Otherwise = "fail",
    const U extends boolean = false,
  >(
    slug: FreeSlug<K, Steps>,
    flow: Flow<SubSlug, SI, SubSteps, SubNeeded>,
    options:
      & WorkOptions<Earlier<N, Steps, K>, F, G, P, W, X, U, Seen<I, Steps, N>>
      & Conversion<Seen<I, Steps, N>, SI>,
  ): Plus<
    Slug,
    I,
    Steps,
    Needed,
    K,
    Made<
      "flow",
      Flow<SubSlug, SI, SubSteps, SubNeeded>,
      RunOutput<SubSteps, SubNeeded>,
      StepError<SubSteps>,
      RunOutput<SubSteps, SubNeeded>,
      Modes<F, G, P, W, X, U>,
      Steps,
      N
    >,
    N[number]
  >

  /** Adds a step that waits for a signal, a value from outside, and holds no worker meanwhile. */
  waitFor<
    const K extends string,
    const N extends ReadonlyArray<string> = None,
    O extends Job.SchemaInput = NoSchema,
    const F extends Pattern<Seen<I, Steps, N>> = never,
    const G extends Pattern<Seen<I, Steps, N>> = never,
    const P extends boolean = never,
    const W extends Otherwise = "skip",
    const X extends Otherwise = "fail",
  >(
    slug: FreeSlug<K, Steps>,
    options?: SignalOptions<Earlier<N, Steps, K>, O, F, G, P, W, X, Seen<I, Steps, N>>,
  ): Plus<
    Slug,
    I,
    Steps,
    Needed,
    K,
    Made<
      "signal",
      void,
      Job.TypeOf<O>,
      never,
      Job.TypeOf<O>,
      Modes<F, G, P, W, X, false>,
      Steps,
      N
    >,
    N[number]
  >

  /** Adds a step that lets time pass, and holds no worker meanwhile: up to 10 years. */
  sleep<
    const K extends string,
    const N extends ReadonlyArray<string> = None,
    const F extends Pattern<Seen<I, Steps, N>> = never,
    const G extends Pattern<Seen<I, Steps, N>> = never,
    const P extends boolean = never,
    const W extends Otherwise = "skip",
    const X extends Otherwise = "fail",
  >(
    slug: FreeSlug<K, Steps>,
    duration: Duration.Input,
    options?: CommonOptions<Earlier<N, Steps, K>, F, G, P, W, X, Seen<I, Steps, N>>,
  ): Plus<
    Slug,
    I,
    Steps,
    Needed,
    K,
    Made<"sleep", void, void, never, void, Modes<F, G, P, W, X, false>, Steps, N>,
    N[number]
  >
}
