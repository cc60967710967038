import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EnvBlock, readEnvBlock, removeEnvBlock } from './env-block.ts'
import { EngineError } from './errors.ts'

/** The command of `main.ts` that holds engines for a file of settings. */
export const HOLD = 'hold'
const MAIN = join(import.meta.dirname, '../main.ts')
/** Of the folders that Arus writes to beside engines in the background. */
export const DATA_PREFIX: string = join(tmpdir(), 'arus-on-engines-')
const LOOK_INTERVAL_MS = 100
/** Engines stop at once beside each other, each within seconds. */
const STOP_DEADLINE_MS = 60_000

export interface BackgroundOptions {
  readonly names: readonly string[]
  /** Of settings: the block in it says which process holds the engines. */
  readonly file: string
  readonly log: (line: string) => void
  /** Ends what was begun. */
  readonly signal: AbortSignal
}

/** What the process that holds engines says to the one that started it. */
export type HolderSays = { readonly line: string } | { readonly isUp: true }

/**
 * Starts a process that holds engines, outlives this one and its terminal, and names them in the file of settings. Resolves when they are up.
 * Throws `ENGINE_RUNNING`, and `ENGINE_UP_FAILED` when the process ends first; why is told to `log`.
 */
export async function startInBackground({ names, file, log, signal }: BackgroundOptions): Promise<void> {
  const block = readEnvBlock(file)
  if (block !== null && isHolder(block.pid))
    throw new EngineError('ENGINE_RUNNING', `Process ${block.pid} holds the engines that ${file} names`)
  if (block !== null) removeData(block)
  const holder = fork(MAIN, [HOLD, file, ...names], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const stop = () => void holder.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const up = Promise.withResolvers<void>()
  holder.on('message', (said: HolderSays) => ('line' in said ? log(said.line) : up.resolve()))
  holder.on('error', up.reject)
  holder.on('exit', async (status) => {
    // What it said last comes before that.
    if (holder.connected) await once(holder, 'disconnect')
    up.reject(
      new EngineError(
        'ENGINE_UP_FAILED',
        `None runs, and ${file} names none: what was to hold them ended with ${status}`,
      ),
    )
  })
  try {
    await up.promise
  } finally {
    signal.removeEventListener('abort', stop)
    holder.removeAllListeners()
    if (holder.connected) holder.disconnect()
    holder.unref()
  }
}

/**
 * Ends the process that holds the engines which a file of settings names, and takes them out of it. False when it names none.
 * Throws `ENGINE_REQUEST_FAILED` when the process does not end.
 */
export async function stopInBackground(file: string): Promise<boolean> {
  const block = readEnvBlock(file)
  if (block === null) return false
  const deadline = performance.now() + STOP_DEADLINE_MS
  if (isHolder(block.pid)) process.kill(block.pid, 'SIGTERM')
  while (isHolder(block.pid)) {
    if (performance.now() > deadline)
      throw new EngineError(
        'ENGINE_REQUEST_FAILED',
        `Process ${block.pid} does not end; kill -9 ends it with its engines`,
      )
    await sleep(LOOK_INTERVAL_MS)
  }
  // One that was killed left both there.
  removeData(block)
  removeEnvBlock(file)
  return true
}

/** What Arus wrote beside the engines of a block, in the folder that `up` made. */
function removeData({ environment: { ARUS_DATA_DIR: folder } }: EnvBlock): void {
  if (folder?.startsWith(DATA_PREFIX)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}

/** A process of that number runs and holds engines: after a restart of the machine another may have it. */
function isHolder(pid: number): boolean {
  const command = commandOf(pid)
  return command.includes(basename(MAIN)) && command.includes(HOLD)
}

function commandOf(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
