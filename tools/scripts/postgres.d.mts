/** A throw-away PostgreSQL server on the loopback address. */
export interface PostgresServer {
  /** The connection string of a superuser, password included. */
  readonly url: string
  /** The server's process id; another one after a restart. */
  readonly pid: number
  /** Stops the server and removes every file of it. */
  stop(): Promise<void>
  /** Stops and starts the server on the same data and port. */
  restart(options?: RestartOptions): Promise<void>
}

/** How `restart` takes the server down. */
export interface RestartOptions {
  /** `fast` (default) rolls back and checkpoints; `immediate` crashes, so that it must recover. */
  readonly mode?: "fast" | "immediate"
  /** How long the server stays away, in milliseconds; default 0. */
  readonly downMillis?: number
}

/** Starts a new, empty PostgreSQL 18 on a free port, with durable settings. */
export declare function startPostgres(): Promise<PostgresServer>
