import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, KillableServer } from '../../../../engines/launcher/engine.ts'
import { freePort } from '../../../../engines/launcher/free-port.ts'
import { installEngine } from '../../../../engines/launcher/installation.ts'
import { minio, startMinio } from '../../../../engines/minio.ts'
import { mlflow, startMlflow } from '../../../../engines/mlflow.ts'

/** An engine of one test, which may be killed and come back. */
export interface OwnEngine extends AsyncDisposable {
  /** Under which programs find it. */
  readonly environment: Readonly<Record<string, string>>
  kill(): Promise<void>
  /** After a kill, on the same data, at the same address. */
  start(): Promise<void>
}

interface Place {
  readonly folder: string
  readonly runFolder: string
  readonly port: number
  readonly signal: AbortSignal
}

export function ownMinio(): Promise<OwnEngine> {
  return ownEngine(minio, (place) => startMinio({ ...place, secret: 'for-a-test' }))
}

export function ownMlflow(): Promise<OwnEngine> {
  return ownEngine(mlflow, startMlflow)
}

async function ownEngine(
  engine: Engine,
  startServer: (place: Place) => Promise<KillableServer>,
): Promise<OwnEngine> {
  const signal = new AbortController().signal
  const place = {
    folder: await installEngine(engine, { log: () => {}, signal }),
    runFolder: mkdtempSync(join(tmpdir(), `arus-own-${engine.name}-`)),
    port: await freePort(),
    signal,
  }
  let server = await startServer(place)
  return {
    environment: server.environment,
    kill: () => server.kill(),
    async start() {
      server = await startServer(place)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      rmSync(place.runFolder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
