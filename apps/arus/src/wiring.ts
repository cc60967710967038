import { mkdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { KafkaEventLogOptions } from '@arus/event-log/kafka'
import type { Analysts } from './analytics/analytics.ts'
import { openCatalogue } from './catalogue/folder-catalogue.ts'
import type { Parts } from './cli/context.ts'
import type { SparkCompute } from './compute/spark-compute.ts'
import type { KafkaSettings } from './config/kafka-settings.ts'
import { serverIdIn } from './config/server-id.ts'
import { dataFolders, type Settings } from './config/settings.ts'
import type { ArusDatabase } from './database/database.ts'
import { readersOf, topicsOf } from './events/topics.ts'
import { ExperimentStore } from './experiments/experiment-store.ts'
import { KeyStore } from './keys/key-store.ts'
import type { Compute } from './lake/computation.ts'
import { openDuckDb } from './lake/duckdb.ts'
import { type Lake, openLakeAt } from './lake/lake.ts'
import { folderPlace, type LakePlace } from './lake/lake-place.ts'
import { tableAddress } from './lake/spark/table-address.ts'
import type { TableName } from './lake/table-names.ts'
import { openDuckDbQueryEngine } from './query/duckdb-query-engine.ts'
import type { LakeSql } from './query/lake-sql.ts'
import type { QueryEngine } from './query/query-engine.ts'
import { openSandboxedSql, type SandboxedSqlOptions } from './query/sandbox/sandboxed-sql.ts'
import type { TrinoTables } from './query/trino/trino-tables.ts'
import type { Registry } from './registry/registry.ts'
import { RuleStore } from './rules/rule-store.ts'
import type { StateStore } from './state/state-store.ts'

/** In the folder of the database. */
export const SQLITE_FILE = 'arus.sqlite'
/** Bytes of one answer to SQL. */
const SQL_RESULT_BYTES = 256 * 1024 * 1024
const SQL_QUEUE_LIMIT = 16
const SQL_WAIT_MS = 10_000

/** The parts of one process, and the way to close those that were opened. */
export interface OpenParts extends Parts {
  close(): Promise<void>
}

/** The only place that knows both ports and adapters. Nothing is opened, nor its library loaded, before it is asked for. */
export function openParts(settings: Settings): OpenParts {
  const folders = dataFolders(settings)
  const closers: (() => Promise<void>)[] = []
  const openings: Promise<unknown>[] = []

  /** Opens on first call; the last opened is closed first. */
  function once<T>(open: () => Promise<T>, close: (part: T) => Promise<void>): () => Promise<T> {
    let opening: Promise<T> | null = null
    return () => {
      if (opening === null) {
        opening = openAndRemember(open, close)
        openings.push(opening)
      }
      return opening
    }
  }

  async function openAndRemember<T>(open: () => Promise<T>, close: (part: T) => Promise<void>): Promise<T> {
    mkdirSync(folders.root, { recursive: true })
    const part = await open()
    closers.unshift(() => close(part))
    return part
  }

  const log = once(
    async () =>
      settings.kafka === null
        ? (await import('@arus/event-log')).openLmdbEventLog({
            folder: folders.log,
            retentionHolds: readersOf(topicsOf(settings)),
          })
        : (await import('@arus/event-log/kafka')).openKafkaEventLog(
            kafkaOptions(settings.kafka, settings.shop),
          ),
    (part) => part.close(),
  )
  const state = once(
    () => openState(settings),
    (part) => part.close(),
  )
  const duckdb = once(
    () => openDuckDb({ temporaryFolder: folders.temporary, memoryBytes: settings.sqlMemoryBytes }),
    (part) => part.close(),
  )
  const place = once(
    () => openPlace(settings),
    async (part) => part.close(),
  )
  const lake = once(
    async () =>
      openLakeAt({
        place: await place(),
        duckdb: await duckdb(),
        sessionGapMinutes: settings.sessionGapMs / 60_000,
      }),
    (part) => part.close(),
  )
  const spark = once(
    () => openSpark(settings),
    async (part) => part?.close(),
  )
  const compute = once(
    async () => openCompute(settings, await spark(), await place()),
    async () => {},
  )
  const query = once(
    async () => openDuckDbQueryEngine({ lake: await lake(), lakeRoot: (await place()).readableFolder }),
    (part) => part.close(),
  )
  const trino = once(
    async () => openTrino(settings, await lake()),
    async () => {},
  )
  const analysts = once(
    async () => openAnalysts(await trino(), await lake(), await query()),
    async () => {},
  )
  const sql = once(
    async () => openSql(await trino(), sandboxOptions(settings, await lake(), await place())),
    (part) => part.close(),
  )
  const database = once(
    () => openDatabase(settings),
    (part) => part.destroy(),
  )
  const registry = once(
    async () => openModelRegistry(settings, { database, erasures }),
    async () => {},
  )
  const erasures = once(
    async () => new (await import('./erasure/erasure-store.ts')).ErasureStore({ database: await database() }),
    async () => {},
  )
  const keys = once(
    async () => new KeyStore({ database: await database() }),
    async () => {},
  )
  const rules = once(
    async () => new RuleStore({ database: await database() }),
    async () => {},
  )
  const experiments = once(
    async () => new ExperimentStore({ database: await database() }),
    async () => {},
  )
  const catalogue = once(
    () => openCatalogue({ folder: folders.catalogue }),
    (part) => part.close(),
  )

  return {
    settings,
    log,
    state,
    place,
    lake,
    spark,
    compute,
    query,
    analysts,
    sql,
    database,
    registry,
    erasures,
    keys,
    rules,
    experiments,
    catalogue,
    async close() {
      // One that is still being opened, because whoever asked for it gave up, would keep the process alive.
      await Promise.allSettled(openings)
      for (const close of closers.splice(0)) await close()
    },
  }
}

/** The client of the object store is loaded only where it is used. */
async function openPlace(settings: Settings): Promise<LakePlace> {
  const folders = dataFolders(settings)
  if (settings.s3 === null) return folderPlace(folders.lake)
  const { openS3Place } = await import('./lake/s3-place.ts')
  return openS3Place({ settings: settings.s3, shop: settings.shop, cacheFolder: folders.lakeCache })
}

/** The client of Spark is loaded only where it is used. */
async function openSpark({ spark }: Settings): Promise<SparkCompute | null> {
  return spark === null ? null : (await import('./compute/spark-compute.ts')).openSparkCompute(spark)
}

async function openCompute(
  { spark: settings }: Settings,
  spark: SparkCompute | null,
  place: LakePlace,
): Promise<Compute> {
  if (settings === null || spark === null)
    return (await import('./lake/duckdb-computation.ts')).duckdbComputation
  const { sparkComputation } = await import('./lake/spark/spark-computation.ts')
  const addressOf = (name: TableName) => tableAddress(settings, place, name)
  return (lake) => sparkComputation({ lake, spark, addressOf })
}

/** What knows the lake's tables in Trino; null where there is no Trino. */
async function openTrino({ trino: settings }: Settings, lake: Lake): Promise<TrinoTables | null> {
  if (settings === null) return null
  const { TrinoTables } = await import('./query/trino/trino-tables.ts')
  return new TrinoTables({ settings, lake, now: Date.now })
}

async function openSql(trino: TrinoTables | null, options: SandboxedSqlOptions): Promise<LakeSql> {
  if (trino === null) return openSandboxedSql(options)
  const { openTrinoSql } = await import('./query/trino/trino-sql.ts')
  return openTrinoSql({ ...options, tables: trino, concurrency: SQL_QUEUE_LIMIT })
}

/** Trino answers the questions of analytics, and DuckDB while it is away. */
async function openAnalysts(trino: TrinoTables | null, lake: Lake, duckdb: QueryEngine): Promise<Analysts> {
  if (trino === null) return { query: duckdb }
  const { openTrinoQueryEngine } = await import('./query/trino/trino-query-engine.ts')
  return { query: openTrinoQueryEngine({ tables: trino, lake }), standIn: duckdb }
}

/** The client of MLflow is loaded only where it is used. */
async function openModelRegistry(
  settings: Settings,
  { database, erasures }: Pick<Parts, 'database' | 'erasures'>,
): Promise<Registry> {
  const { models: folder } = dataFolders(settings)
  if (settings.mlflow === null)
    return (await import('./registry/lake-registry.ts')).openRegistry({ database: await database(), folder })
  return (await import('./registry/mlflow/mlflow-registry.ts')).openMlflowRegistry({
    settings: settings.mlflow,
    shop: settings.shop,
    // Not among the files of the embedded registry, which are no copies.
    folder: join(folder, 'mlflow'),
    erasures: await erasures(),
  })
}

async function openState(settings: Settings): Promise<StateStore> {
  const { redisUrl: url, shop } = settings
  if (url === null)
    return (await import('./state/lmdb-state-store.ts')).openLmdbStateStore({
      folder: dataFolders(settings).state,
    })
  const onWarning = (message: string) => process.emitWarning(message)
  const member = serverIdIn(join(dataFolders(settings).root, 'server-id'))
  return (await import('./state/valkey-state-store.ts')).openValkeyStateStore({
    url,
    shop,
    member,
    onWarning,
  })
}

async function openDatabase(settings: Settings): Promise<ArusDatabase> {
  const { databaseUrl: url, shop } = settings
  if (url !== null)
    return (await import('./database/postgres-database.ts')).openPostgresDatabase({ url, shop })
  return (await import('./database/sqlite-database.ts')).openSqliteDatabase({
    file: join(dataFolders(settings).database, SQLITE_FILE),
  })
}

function sandboxOptions(settings: Settings, lake: Lake, place: LakePlace): SandboxedSqlOptions {
  const folders = dataFolders(settings)
  return {
    lake,
    lakeRoot: place.readableFolder,
    temporaryFolder: join(folders.temporary, 'sql'),
    processCount: settings.sqlProcessCount,
    memoryBytes: settings.sqlProcessMemoryBytes,
    diskBytes: 2 * settings.sqlProcessMemoryBytes,
    threadCount: Math.max(1, Math.floor(availableParallelism() / 2)),
    resultBytes: SQL_RESULT_BYTES,
    queueLimit: SQL_QUEUE_LIMIT,
    waitMs: SQL_WAIT_MS,
  }
}

function kafkaOptions(kafka: KafkaSettings, shop: string): KafkaEventLogOptions {
  const { servers, security, mechanism, username, password, authorityFile, replicationFactor } = kafka
  const authority = authorityFile === null ? {} : { ca: readFileSync(authorityFile, 'utf8') }
  return {
    servers,
    ...(security.endsWith('SSL') ? { tls: authority } : {}),
    ...(username === null || password === null ? {} : { sasl: { mechanism, username, password } }),
    replicationFactor,
    // Topics carry the shop in their names already.
    groupPrefix: `${shop}.`,
  }
}
