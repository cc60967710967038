import { join } from 'node:path'
import type { Parts } from './cli/context.ts'
import { maskedUrl } from './config/masked-url.ts'
import { dataFolders, type Settings } from './config/settings.ts'
import { sparkAddress } from './config/spark-settings.ts'
import type { SlotProbe } from './operations/health.ts'
import { SQLITE_FILE } from './wiring.ts'

/** How each slot of DESIGN §2 is filled in this process, for health and `arus doctor`. */
export function slotProbes(parts: Parts): SlotProbe[] {
  const folders = dataFolders(parts.settings)
  return [
    {
      slot: 'event log',
      adapter: parts.settings.kafka === null ? 'lmdb' : 'kafka',
      detail: parts.settings.kafka?.servers.join(', ') ?? folders.log,
      isHealthy: async () => (await parts.log()).isHealthy(),
    },
    {
      slot: 'live state',
      adapter: parts.settings.redisUrl === null ? 'lmdb' : 'valkey',
      detail: parts.settings.redisUrl === null ? folders.state : maskedUrl(parts.settings.redisUrl),
      isHealthy: async () => (await parts.state()).isHealthy(),
    },
    {
      slot: 'object store',
      adapter: parts.settings.s3 === null ? 'local folder' : 's3',
      detail: lakeLocation(parts.settings),
      isHealthy: async () => {
        await (await parts.place()).check()
        return true
      },
    },
    {
      slot: 'compute',
      adapter: parts.settings.spark === null ? 'duckdb and a training process' : 'spark',
      detail: computeLocation(parts.settings),
      isHealthy: async () => {
        await (await parts.spark())?.check()
        return (await parts.query()).isHealthy()
      },
    },
    {
      slot: 'sql',
      adapter: parts.settings.trino === null ? 'duckdb' : 'trino',
      detail: sqlLocation(parts.settings),
      isHealthy: async () => (await parts.sql()).isHealthy(),
    },
    {
      slot: 'model registry',
      adapter: parts.settings.mlflow === null ? 'database and folder' : 'mlflow',
      detail: modelLocation(parts.settings),
      isHealthy: async () => (await parts.registry()).isHealthy(),
    },
    {
      slot: 'database',
      adapter: parts.settings.databaseUrl === null ? 'sqlite' : 'postgresql',
      detail: databasePlace(parts.settings),
      isHealthy: async () => {
        await (await parts.database()).selectFrom('models').select('version').limit(1).execute()
        return true
      },
    },
  ]
}

function computeLocation({ spark, ...settings }: Settings): string {
  if (spark !== null) return sparkAddress(spark)
  const megabytes = Math.round(settings.sqlMemoryBytes / 1024 / 1024)
  return `${megabytes} MB, then ${dataFolders({ ...settings, spark }).temporary}`
}

function sqlLocation({ trino }: Settings): string {
  if (trino === null) return 'in processes of its own, over the Delta snapshots'
  return `${trino.url}, catalog ${trino.catalog}`
}

function lakeLocation({ s3, shop, ...settings }: Settings): string {
  if (s3 === null) return dataFolders({ ...settings, s3, shop }).lake
  return `s3://${s3.bucket}/${shop} at ${s3.endpoint ?? `AWS, ${s3.region}`}`
}

function modelLocation(settings: Settings): string {
  const { mlflow, shop } = settings
  return mlflow === null ? dataFolders(settings).models : `arus-${shop} at ${mlflow.trackingUri}`
}

function databasePlace(settings: Settings): string {
  const { databaseUrl: url } = settings
  return url === null ? join(dataFolders(settings).database, SQLITE_FILE) : maskedUrl(url)
}
