import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import type { Engine, Log } from './engine.ts'
import { EngineError } from './errors.ts'
import { GuardedProcess } from './guarded-process.ts'
import { lockInstallation } from './install-lock.ts'

const STAMP = '.installed'

export interface InstallOptions {
  readonly log: Log
  readonly signal: AbortSignal
}

/** Where engines are installed, shared by all clones: `ARUS_ENGINES_DIR`, else in the user's cache. */
export function enginesFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return process.env.ARUS_ENGINES_DIR || join(cache, 'arus-engines')
}

/** Folder of an installed engine; null when it is not installed, or was by another recipe, or not to the end. */
export function installedFolder(engine: Engine): string | null {
  const folder = folderOf(engine)
  try {
    return readFileSync(join(folder, STAMP), 'utf8') === fingerprint(engine) ? folder : null
  } catch {
    return null
  }
}

/**
 * Installs an engine unless it is there already, and returns its folder. Of several processes one installs while the
 * others wait. The stamp is written last, so what was interrupted is done again from nothing.
 * Throws `ENGINE_TOOL_MISSING`, `ENGINE_INSTALL_FAILED`.
 */
export async function installEngine(engine: Engine, { log, signal }: InstallOptions): Promise<string> {
  const ready = installedFolder(engine)
  if (ready !== null) return ready
  assertTools(engine)
  const folder = folderOf(engine)
  mkdirSync(enginesFolder(), { recursive: true })
  using _lock = await lockInstallation(`${folder}.lock`, {
    signal,
    onWait: () => log(`${engine.name}: another process is installing it; waiting …`),
  })
  if (installedFolder(engine) !== null) return folder
  const startedAt = performance.now()
  log(`${engine.name} ${engine.version}: installing ${engine.description} …`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const logFile = `${folder}.log`
  rmSync(logFile, { force: true })
  await engine.install({
    folder,
    log: (line) => log(`${engine.name}: ${line}`),
    run: (command, environment = {}) => runLogged(command, { folder, environment, logFile, signal }),
  })
  writeFileSync(join(folder, `${STAMP}.tmp`), fingerprint(engine))
  renameSync(join(folder, `${STAMP}.tmp`), join(folder, STAMP))
  log(`${engine.name} ${engine.version}: installed in ${seconds(startedAt)} (${folder})`)
  return folder
}

function folderOf(engine: Engine): string {
  return join(enginesFolder(), `${engine.name}-${engine.version}`)
}

function fingerprint(engine: Engine): string {
  const recipe = JSON.stringify([engine.recipe, process.platform, process.arch])
  return createHash('sha256').update(recipe).digest('hex')
}

interface LoggedOptions {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
  readonly signal: AbortSignal
}

async function runLogged(command: readonly string[], options: LoggedOptions): Promise<void> {
  const running = new GuardedProcess(command, options)
  const stop = () => void running.stop(2_000)
  options.signal.addEventListener('abort', stop)
  const status = await running.exited
  options.signal.removeEventListener('abort', stop)
  options.signal.throwIfAborted()
  if (status === 0) return
  throw new EngineError(
    'ENGINE_INSTALL_FAILED',
    `"${command.join(' ')}" ended with ${status}; its log is ${options.logFile}:\n${running.logTail()}`,
  )
}

/** Throws `ENGINE_TOOL_MISSING`, naming every tool at once. */
function assertTools(engine: Engine): void {
  const missing = engine.tools.filter(({ command }) => !isOnPath(command))
  if (missing.length === 0) return
  const list = missing.map(({ command, hint }) => `"${command}" (${hint})`).join(', ')
  throw new EngineError('ENGINE_TOOL_MISSING', `${engine.name} needs ${list}, which is not on the PATH`)
}

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(resolve(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function seconds(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(0)} s`
}
