import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine, KillableServer, StartContext } from './launcher/engine.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'
import { installPythonPackages, PYTHON_TOOL, pythonOf } from './launcher/python.ts'

const VERSION = '3.17.2'
/** `mlflow-skinny` has no server. */
const PACKAGES = [`mlflow==${VERSION}`]

/**
 * MLflow's tracking server and model registry on SQLite and a folder. Programs find it by `MLFLOW_TRACKING_URI`; tests
 * find its Python, which has numpy, by `ARUS_MLFLOW_PYTHON`.
 */
export const mlflow: Engine = {
  name: 'mlflow',
  version: VERSION,
  description: 'MLflow from PyPI (some 850 MB)',
  tools: [PYTHON_TOOL],
  recipe: PACKAGES,
  install: (context) => installPythonPackages(context, PACKAGES),

  start: async (context) => startMlflow({ ...context, port: await freePort() }),
}

export interface MlflowOptions extends Pick<StartContext, 'folder' | 'runFolder' | 'signal'> {
  readonly port: number
}

/** Starts MLflow on the data in `runFolder`. Throws `ENGINE_START_FAILED`. */
export async function startMlflow(options: MlflowOptions): Promise<KillableServer> {
  const { folder, runFolder, port, signal } = options
  const artifacts = join(runFolder, 'artifacts')
  mkdirSync(artifacts, { recursive: true })
  const command = [
    ...[pythonOf(folder), '-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port)],
    ...['--backend-store-uri', `sqlite:///${join(runFolder, 'mlflow.db')}`],
    ...['--artifacts-destination', artifacts, '--workers', '1'],
  ]
  const server = new GuardedProcess(command, {
    folder: runFolder,
    isFolderTemporary: true,
    logFile: join(runFolder, 'mlflow.log'),
    environment: {
      // Its runners of jobs are eight processes of 150 MB that nothing here uses.
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      DO_NOT_TRACK: 'true',
      // It is not to ask another server, should one be named.
      MLFLOW_TRACKING_URI: '',
      HOME: runFolder,
      PYTHONUNBUFFERED: '1',
    },
  })
  const address = `http://127.0.0.1:${port}`
  const isHealthy = async () => (await fetch(`${address}/health`)).ok
  await untilHealthy(server, isHealthy, { name: 'MLflow', deadlineMs: 180_000, signal })
  return {
    environment: { MLFLOW_TRACKING_URI: address, ARUS_MLFLOW_PYTHON: pythonOf(folder) },
    stop: () => server.stop(5_000),
    kill: () => server.kill(),
  }
}
