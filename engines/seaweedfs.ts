import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine, KillableServer, StartContext } from './launcher/engine.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'

const MODULE = 'github.com/seaweedfs/seaweedfs'
/** SeaweedFS 4.53. Release tags do not resolve through the module proxy; this is the version it serves. */
const VERSION = 'v0.0.0-20261109003541-7506e5f91cd6'
const BUCKET = 'arus'
const KEY = 'arus'
const ALREADY_THERE = 409
/** Its four servers, each with a port for gRPC beside that for HTTP. */
const SERVERS = ['master', 'volume', 'filer', 's3'] as const

/**
 * SeaweedFS, an S3 server, on one folder. Programs find it by the same variables as MinIO. The key is asked for by its
 * S3 server alone: whoever is on this machine reaches the three behind it without.
 */
export const seaweedfs: Engine = {
  name: 'seaweedfs',
  version: '4.53',
  description: 'SeaweedFS, built from Go modules (some 9 minutes of CPU, 164 MB)',
  isOnRequest: true,
  tools: [{ command: 'go', hint: 'Go 1.26.6 or newer' }],
  recipe: [MODULE, VERSION],

  async install({ folder, run }) {
    await run(['go', 'mod', 'download', `${MODULE}@${VERSION}`])
    // "go install" refuses a module that replaces another, as this one does; it can be built where it was unpacked.
    const source = `"$(go env GOMODCACHE)/${MODULE}@${VERSION}"`
    await run(['sh', '-c', `go build -C ${source} -ldflags='-s -w' -o "$0" ./weed`, join(folder, 'weed')])
  },

  async start(context) {
    const ports = []
    for (const _ of SERVERS) ports.push({ http: await freePort(), grpc: await freePort() })
    return startSeaweedfs({ ...context, ports, secret: randomBytes(16).toString('hex') })
  },
}

export interface SeaweedfsOptions extends Pick<StartContext, 'folder' | 'runFolder' | 'signal'> {
  /** Of the master, the volume server, the filer and the S3 server. */
  readonly ports: readonly { readonly http: number; readonly grpc: number }[]
  /** Of the key `arus`. */
  readonly secret: string
}

/** Starts SeaweedFS on the data in `runFolder`. Throws `ENGINE_START_FAILED`. */
export async function startSeaweedfs(options: SeaweedfsOptions): Promise<KillableServer> {
  const { folder, runFolder, ports, secret, signal } = options
  const data = join(runFolder, 'data')
  mkdirSync(data, { recursive: true })
  const keys = join(runFolder, 's3.json')
  const credentials = [{ accessKey: KEY, secretKey: secret }]
  // Without "Admin" a bucket that is missing is not made by the first object.
  const identity = { name: KEY, credentials, actions: ['Read', 'Write', 'List', 'Tagging'] }
  writeFileSync(keys, JSON.stringify({ identities: [identity] }), { mode: 0o600 })
  const listening = SERVERS.flatMap((server, i) => [
    `-${server}.port=${ports[i]!.http}`,
    `-${server}.port.grpc=${ports[i]!.grpc}`,
  ])
  const command = [
    join(folder, 'weed'),
    'server',
    '-s3',
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    `-dir=${data}`,
    `-s3.config=${keys}`,
    ...listening,
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    `-s3.localSocket=${join(runFolder, 's3.sock')}`,
    `-filer.localSocket=${join(runFolder, 'filer.sock')}`,
    '-master.telemetry=false',
    // As many volumes as there is room for, each grown as it is written.
    '-master.volumeSizeLimitMB=1024',
    '-volume.max=0',
    '-volume.preStopSeconds=0',
  ]
  const server = new GuardedProcess(command, {
    folder: runFolder,
    isFolderTemporary: true,
    logFile: join(runFolder, 'seaweedfs.log'),
    environment: {
      // Its configuration and what it keeps beside the data go nowhere but here.
      HOME: runFolder,
      TMPDIR: runFolder,
      // It would take whoever's keys are in the environment for an administrator's, and another secret of the same key.
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
    },
  })
  const [master, , filer, s3] = ports.map(({ http }) => `http://127.0.0.1:${http}`)
  const isHealthy = async () => {
    // A folder of the filer is a bucket. There is a place for objects once the volume server has told the master of itself.
    const bucket = await fetch(`${filer}/buckets/${BUCKET}/`, { method: 'POST' })
    const isBucketThere = bucket.ok || bucket.status === ALREADY_THERE
    const place = await fetch(`${master}/dir/assign?collection=${BUCKET}`)
    return isBucketThere && place.ok && (await fetch(`${s3}/healthz`)).ok
  }
  await untilHealthy(server, isHealthy, { name: 'SeaweedFS', deadlineMs: 60_000, signal })
  return {
    environment: {
      S3_ENDPOINT: s3!,
      S3_BUCKET: BUCKET,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: KEY,
      AWS_SECRET_ACCESS_KEY: secret,
    },
    async stop() {
      await server.stop(10_000)
      for (const [i, { grpc }] of ports.entries()) rmSync(socketOf(SERVERS[i]!, grpc), { force: true })
    },
    kill: () => server.kill(),
  }
}

/** Its servers listen on sockets too, in a place that no option moves. */
function socketOf(server: string, grpcPort: number): string {
  return `/tmp/seaweedfs-${server}-grpc-${grpcPort}.sock`
}
