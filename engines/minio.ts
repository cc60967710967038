import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine, KillableServer, StartContext } from './launcher/engine.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'

const MODULE = 'github.com/minio/minio'
/** Release tags do not resolve through the module proxy; this is a release's commit. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c'
const BUCKET = 'arus'
const KEY = 'arus'

/** MinIO, an S3 server, on one folder. Programs find it by `S3_ENDPOINT`, `S3_BUCKET` and the AWS key variables. */
export const minio: Engine = {
  name: 'minio',
  version: '2026.2.12',
  description: 'MinIO, built from Go modules (some 6 minutes of CPU, 112 MB)',
  tools: [{ command: 'go', hint: 'Go 1.24 or newer' }],
  recipe: [MODULE, VERSION],

  async install({ folder, run }) {
    await run(['go', 'install', '-ldflags=-s -w', `${MODULE}@${VERSION}`], { GOBIN: folder })
  },

  start: async (context) =>
    startMinio({ ...context, port: await freePort(), secret: randomBytes(16).toString('hex') }),
}

export interface MinioOptions extends Pick<StartContext, 'folder' | 'runFolder' | 'signal'> {
  readonly port: number
  /** Of the key `arus`. */
  readonly secret: string
}

/** Starts MinIO on the data in `runFolder`. Throws `ENGINE_START_FAILED`. */
export async function startMinio(options: MinioOptions): Promise<KillableServer> {
  const { folder, runFolder, port, secret, signal } = options
  const data = join(runFolder, 'data')
  // A folder of the drive is a bucket.
  mkdirSync(join(data, BUCKET), { recursive: true })
  const address = `127.0.0.1:${port}`
  const server = new GuardedProcess([join(folder, 'minio'), 'server', '--address', address, data], {
    folder: runFolder,
    isFolderTemporary: true,
    logFile: join(runFolder, 'minio.log'),
    environment: {
      MINIO_ROOT_USER: KEY,
      MINIO_ROOT_PASSWORD: secret,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      // Its configuration goes nowhere but here.
      HOME: runFolder,
    },
  })
  const isHealthy = async () => (await fetch(`http://${address}/minio/health/ready`)).ok
  await untilHealthy(server, isHealthy, { name: 'MinIO', deadlineMs: 60_000, signal })
  return {
    environment: {
      S3_ENDPOINT: `http://${address}`,
      S3_BUCKET: BUCKET,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: KEY,
      AWS_SECRET_ACCESS_KEY: secret,
    },
    stop: () => server.stop(5_000),
    kill: () => server.kill(),
  }
}
