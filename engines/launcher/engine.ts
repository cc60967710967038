/** A command that must be on this machine before an engine can be installed or run. */
export interface Tool {
  readonly command: string
  /** How to get it. */
  readonly hint: string
}

/** Told to the person at the terminal: one line at a time, no line break at its end. */
export type Log = (line: string) => void

export interface InstallContext {
  /** Empty when the installation begins; everything goes below it. */
  readonly folder: string
  readonly log: Log
  /** Runs a command to its end, its output in the installation's log. Throws `ENGINE_INSTALL_FAILED`. */
  run(command: readonly string[], environment?: Readonly<Record<string, string>>): Promise<void>
}

export interface StartContext {
  /** What `install` left. */
  readonly folder: string
  /** Variables of the engines started before this one, so that Spark finds MinIO. */
  readonly environment: Readonly<Record<string, string>>
  /** Made for this run and removed after it: data, sockets, the engine's log. */
  readonly runFolder: string
  readonly signal: AbortSignal
}

/** A started engine. Whoever starts it stops it; it also ends with the process that started it, however that ends. */
export interface RunningEngine extends AsyncDisposable {
  readonly name: string
  /** Environment variables under which programs find it. */
  readonly environment: Readonly<Record<string, string>>
  /** Resolves when all its processes are gone and its run folder is removed; again is no error. */
  stop(): Promise<void>
}

/** What a process of an engine is while it runs. */
export interface Startup {
  readonly environment: Readonly<Record<string, string>>
  /** Ends its processes. */
  stop(): Promise<void>
}

/** A server that can be killed, and started again on the same data at the same address. */
export interface KillableServer extends Startup {
  kill(): Promise<void>
}

/**
 * One real engine: what it installs, how it starts, how its health is checked, how it stops. Installed once per version
 * and recipe, from package registries only; listens on loopback only, on ports that were free.
 */
export interface Engine {
  readonly name: string
  readonly version: string
  /** What a person should know before it is installed: from where, how big, how long. */
  readonly description: string
  readonly tools: readonly Tool[]
  /** Too costly to install for whoever asked for no engine by name. */
  readonly isOnRequest?: boolean
  /** Everything that decides what is installed; when it changes the engine is installed again. */
  readonly recipe: readonly string[]
  install(context: InstallContext): Promise<void>
  /** Resolves when the engine answers. Throws `ENGINE_START_FAILED`. */
  start(context: StartContext): Promise<Startup>
}
