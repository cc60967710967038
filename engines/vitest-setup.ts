import type { RunningEngine } from './launcher/engine.ts'
import { besideAnother } from './object-stores.ts'
import { startEngine } from './start-engine.ts'

/** The engines of `npm run test:engines`, and the variable by which each is known to run already. */
const WANTED = {
  minio: 'S3_ENDPOINT',
  kafka: 'KAFKA_BOOTSTRAP_SERVERS',
  postgres: 'DATABASE_URL',
  valkey: 'REDIS_URL',
  spark: 'ARUS_SPARK_SOCKET',
  trino: 'TRINO_URL',
  deltalake: 'ARUS_DELTALAKE_SOCKET',
  mlflow: 'MLFLOW_TRACKING_URI',
  schemathesis: 'ARUS_SCHEMATHESIS',
}

/**
 * Vitest's global setup: starts the engines and leaves their variables in the environment, which test workers inherit.
 * An engine whose variable is set is left alone, so `npm run engines -- start minio kafka spark deltalake` in another terminal
 * saves their start on every run. SeaweedFS is started where `ARUS_TEST_SEAWEEDFS` is set: it takes long to build.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const running: RunningEngine[] = []
  const stop = async () => {
    await Promise.all(running.map((engine) => engine.stop()))
  }
  const run = async (name: string) => {
    const environment = process.env as Readonly<Record<string, string>>
    const engine = await startEngine(name, { environment, log: (line) => console.error(line) })
    running.push(engine)
    return engine.environment
  }
  const start = async (name: keyof typeof WANTED) => {
    if (process.env[WANTED[name]]) return
    Object.assign(process.env, await run(name))
  }
  /** Beside MinIO, for the suites of object stores. */
  const startSeaweedfs = async () => {
    if (!process.env.ARUS_TEST_SEAWEEDFS || process.env.SEAWEEDFS_S3_ENDPOINT) return
    Object.assign(process.env, besideAnother(await run('seaweedfs')))
  }
  try {
    await start('minio')
    await settled([
      start('postgres'),
      start('valkey'),
      start('kafka'),
      start('spark'),
      start('trino'),
      start('deltalake'),
      start('mlflow'),
      start('schemathesis'),
      startSeaweedfs(),
    ])
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}

/** Waits for all, so that nothing is left starting, then throws the first failure. */
async function settled(starts: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(starts)
  await Promise.all(starts)
}
