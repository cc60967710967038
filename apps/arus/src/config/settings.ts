import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type KafkaSettings, readKafkaSettings } from './kafka-settings.ts'
import { type MlflowSettings, readMlflowSettings } from './mlflow-settings.ts'
import { readS3Settings, type S3Settings } from './s3-settings.ts'
import { type Environment, SettingReader } from './setting-reader.ts'
import { readSparkSettings, type SparkSettings } from './spark-settings.ts'
import { readTrinoSettings, type TrinoSettings } from './trino-settings.ts'

/** Everything that can be set from outside, validated. Paths are absolute. */
export interface Settings {
  /** The file of settings that was read, and the variables that came from it since the environment left them open; null: there is none. */
  readonly envFile: EnvFile | null
  /** Names the shop: a folder, and a prefix in shared engines. */
  readonly shop: string
  /** All that Arus writes is below this folder. */
  readonly dataDir: string
  readonly host: string
  readonly apiPort: number
  readonly dashboardPort: number
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug'
  /** Memory DuckDB may use, bytes; it spills to disk beyond. */
  readonly sqlMemoryBytes: number
  /** Processes that answer `POST /sql`, so queries at once. */
  readonly sqlProcessCount: number
  /** Memory the database in each of them may use, bytes. */
  readonly sqlProcessMemoryBytes: number
  /** Partitions of the events topic, fixed when the topic is made. */
  readonly partitionCount: number
  /** Largest request body, bytes. */
  readonly bodyLimitBytes: number
  /** An `event_id` seen again within this time is a duplicate. */
  readonly idempotencyWindowMs: number
  /** Log entries older than this go once live state and lake have read them; null: they stay. */
  readonly logRetentionMs: number | null
  /** The oldest entries of a topic go when it takes more than this on disk, bytes; null: they stay. */
  readonly logRetentionBytes: number | null
  /** A stretch without an event this long ends a session that no sender named. */
  readonly sessionGapMs: number
  /** Live: an event so much older than its shopper's newest joins no session any more. */
  readonly allowedLatenessMs: number
  /** Live: shoppers and products of whom nothing came for so long are forgotten. */
  readonly liveIdleMs: number
  /** Older versions of the lake's tables can be read this long. */
  readonly lakeHistoryMs: number
  /** A running server trains a model anew after so long, sooner when shoppers change; null: only when told. */
  readonly trainEveryMs: number | null
  /** How much worse than the best a model may rank on validation data that is cheaper to serve, as a share; 0: the best serves. */
  readonly servingTolerance: number
  /** The lake follows the log, and silver and gold follow bronze, with this pause at least. */
  readonly lakeIntervalMs: number
  /** Requests must present a key. */
  readonly isKeyRequired: boolean
  /** Requests a minute from one address where no keys are required; null: no limit. */
  readonly rateLimitPerMinute: number | null
  /** Proxies before the API whose `x-forwarded-for` is believed: addresses, or ranges such as 10.0.0.0/8. */
  readonly trustedProxies: readonly string[]
  /** The key commands present to a running server; null: none. A secret. */
  readonly apiKey: string | null
  /** The Kafka that is the event log; null: the log is embedded. */
  readonly kafka: KafkaSettings | null
  /** Where the lake is kept; null: in a folder below `dataDir`. */
  readonly s3: S3Settings | null
  /** Who computes the lake's tables and models; null: DuckDB and our own models, in processes of their own. */
  readonly spark: SparkSettings | null
  /** Who answers `POST /sql` and `arus sql`; null: DuckDB in processes of its own. */
  readonly trino: TrinoSettings | null
  /** Where models are kept; null: in the database and a folder below `dataDir`. */
  readonly mlflow: MlflowSettings | null
  /** PostgreSQL instead of SQLite, with its password: a secret; null: SQLite. */
  readonly databaseUrl: string | null
  /** Valkey or Redis for live state instead of LMDB, with its password: a secret; null: LMDB. */
  readonly redisUrl: string | null
  /** IANA name: of days, weekdays and hours in historical figures. */
  readonly timeZone: string
}

export interface EnvFile {
  readonly path: string
  readonly names: readonly string[]
}

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** Of a topic in Kafka: several processes may share it later, and 6 can be shared by 2 and by 3. */
const KAFKA_PARTITIONS = 6

/**
 * Settings from the environment and, where the environment says nothing, from `.env` in `folder`, or the file that `ARUS_ENV_FILE` names.
 * Throws `SETTINGS_INVALID` naming every wrong variable at once.
 */
export function readSettings(
  environment: Environment = process.env,
  folder: string = process.cwd(),
): Settings {
  const named = environment.ARUS_ENV_FILE || null
  const path = resolve(folder, named ?? '.env')
  const isThere = existsSync(path)
  const set = withoutEmpty(environment)
  const fromFile = isThere ? withoutEmpty(parseEnv(readFileSync(path, 'utf8'))) : {}
  const reader = new SettingReader({ ...fromFile, ...set })
  if (named !== null && !isThere) reader.refuse('ARUS_ENV_FILE', `there is no ${path}`)
  const apiPort = reader.integer('ARUS_API_PORT', 8000, 0, 65_535)
  const kafka = readKafkaSettings(reader)
  const settings: Settings = {
    envFile: isThere ? { path, names: Object.keys(fromFile).filter((name) => !(name in set)) } : null,
    shop: reader.match(
      'ARUS_SHOP',
      'shop',
      /^[a-z][a-z0-9_-]{0,39}$/,
      'a lower-case letter, then up to 39 of a-z 0-9 _ -',
    ),
    dataDir: resolve(folder, reader.text('ARUS_DATA_DIR', 'data')),
    host: reader.text('ARUS_HOST', '127.0.0.1'),
    apiPort,
    dashboardPort: reader.integer('ARUS_DASHBOARD_PORT', 8501, 0, 65_535),
    logLevel: reader.oneOf('ARUS_LOG_LEVEL', 'warn', LOG_LEVELS),
    sqlMemoryBytes: reader.integer('ARUS_SQL_MEMORY_MB', 1536, 256, 1_000_000) * 1024 * 1024,
    sqlProcessCount: reader.integer('ARUS_SQL_PROCESSES', 2, 1, 64),
    sqlProcessMemoryBytes: reader.integer('ARUS_SQL_PROCESS_MEMORY_MB', 512, 128, 1_000_000) * 1024 * 1024,
    partitionCount: reader.integer('ARUS_PARTITIONS', kafka === null ? 1 : KAFKA_PARTITIONS, 1, 1024),
    bodyLimitBytes: reader.integer('ARUS_BODY_LIMIT_MB', 16, 1, 1024) * 1024 * 1024,
    idempotencyWindowMs: reader.integer('ARUS_IDEMPOTENCY_HOURS', 24, 1, 24 * 30) * 3_600_000,
    sessionGapMs: reader.integer('ARUS_SESSION_GAP_MINUTES', 30, 1, 24 * 60) * 60_000,
    allowedLatenessMs: reader.integer('ARUS_ALLOWED_LATENESS_MINUTES', 24 * 60, 0, 30 * 24 * 60) * 60_000,
    logRetentionMs: reader.integer('ARUS_LOG_RETENTION_DAYS', 0, 0, 36_500) * 86_400_000 || null,
    logRetentionBytes: reader.integer('ARUS_LOG_RETENTION_MB', 0, 0, 100_000_000) * 1024 * 1024 || null,
    liveIdleMs: reader.integer('ARUS_LIVE_IDLE_DAYS', 90, 1, 3_650) * 86_400_000,
    lakeHistoryMs: reader.integer('ARUS_LAKE_HISTORY_HOURS', 6, 1, 24 * 366) * 3_600_000,
    lakeIntervalMs: reader.integer('ARUS_LAKE_INTERVAL_MS', 5_000, 50, 3_600_000),
    trainEveryMs: reader.integer('ARUS_TRAIN_EVERY_HOURS', 24, 0, 24 * 366) * 3_600_000 || null,
    servingTolerance: reader.integer('ARUS_SERVING_TOLERANCE_PERCENT', 2, 0, 100) / 100,
    isKeyRequired: reader.oneOf('ARUS_REQUIRE_KEYS', 'false', ['true', 'false']) === 'true',
    rateLimitPerMinute: reader.integer('ARUS_RATE_LIMIT_PER_MINUTE', 0, 0, 10_000_000) || null,
    trustedProxies: reader.addresses('ARUS_TRUSTED_PROXIES'),
    apiKey: reader.text('ARUS_API_KEY', '') || null,
    kafka,
    s3: readS3Settings(reader),
    spark: readSparkSettings(reader),
    trino: readTrinoSettings(reader),
    mlflow: readMlflowSettings(reader),
    databaseUrl: reader.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: reader.url('REDIS_URL', ['redis:', 'rediss:']),
    timeZone: reader.timeZone('ARUS_TIME_ZONE', 'UTC'),
  }
  reader.throwIfWrong()
  return settings
}

/** Folders below `dataDir`; each part writes only to its own. */
export function dataFolders(settings: Settings): Readonly<Record<DataFolder, string>> {
  const root = join(settings.dataDir, settings.shop)
  return {
    root,
    log: join(root, 'log'),
    state: join(root, 'state'),
    lake: join(root, 'lake'),
    lakeCache: join(root, 'lake-cache'),
    catalogue: join(root, 'catalogue'),
    models: join(root, 'models'),
    database: join(root, 'database'),
    temporary: join(root, 'tmp'),
  }
}

export type DataFolder =
  | 'root'
  | 'log'
  | 'state'
  | 'lake'
  | 'lakeCache'
  | 'catalogue'
  | 'models'
  | 'database'
  | 'temporary'

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
}
