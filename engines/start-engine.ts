import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deltalake } from './deltalake.ts'
import { kafka } from './kafka.ts'
import { kafkaZookeeper } from './kafka-zookeeper.ts'
import type { Engine, Log, RunningEngine } from './launcher/engine.ts'
import { EngineError } from './launcher/errors.ts'
import { installEngine } from './launcher/installation.ts'
import { minio } from './minio.ts'
import { mlflow } from './mlflow.ts'
import { postgres } from './postgres.ts'
import { schemathesis } from './schemathesis.ts'
import { seaweedfs } from './seaweedfs.ts'
import { spark } from './spark.ts'
import { trino } from './trino.ts'
import { valkey } from './valkey.ts'

/** Every engine there is, in the order in which they are started: later ones are told where the earlier ones are. */
export const ENGINES: readonly Engine[] = [
  minio,
  seaweedfs,
  postgres,
  valkey,
  kafka,
  kafkaZookeeper,
  spark,
  trino,
  deltalake,
  mlflow,
  schemathesis,
]

/** The engines of these names, in the order in which they are started. Throws `ENGINE_UNKNOWN`. */
export function enginesNamed(names: readonly string[]): readonly Engine[] {
  const unknown = names.filter((name) => !ENGINES.some((engine) => engine.name === name))
  if (unknown.length > 0) {
    const known = ENGINES.map((engine) => engine.name).join(', ')
    throw new EngineError('ENGINE_UNKNOWN', `No engine is called ${unknown.join(', ')}; there are ${known}`)
  }
  return ENGINES.filter((engine) => names.includes(engine.name))
}

export interface StartOptions {
  /** Variables of engines that run already. */
  readonly environment?: Readonly<Record<string, string>>
  readonly log?: Log
  /** Stops an installation or a start under way. */
  readonly signal?: AbortSignal
}

/** Installs an engine if need be, starts it, and resolves when it answers. */
export async function startEngine(name: string, options: StartOptions = {}): Promise<RunningEngine> {
  const { environment = {}, log = () => {}, signal = new AbortController().signal } = options
  const engine = enginesNamed([name])[0]!
  const folder = await installEngine(engine, { log, signal })
  const runFolder = mkdtempSync(join(tmpdir(), `arus-${name}-`))
  const removeRunFolder = () => rmSync(runFolder, { recursive: true, force: true, maxRetries: 3 })
  const startedAt = performance.now()
  const startup = await engine.start({ folder, environment, runFolder, signal }).catch((error: unknown) => {
    removeRunFolder()
    throw error
  })
  log(`${name} ${engine.version}: up in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  const stop = async () => {
    await startup.stop()
    removeRunFolder()
  }
  return { name, environment: startup.environment, stop, [Symbol.asyncDispose]: stop }
}
