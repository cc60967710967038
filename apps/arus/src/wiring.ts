import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openCatalogue } from './catalogue/folder-catalogue.ts'
import type { Parts } from './cli/context.ts'
import { maskedUrl } from './config/masked-url.ts'
import { dataFolders, type Settings } from './config/settings.ts'
import type { ArusDatabase } from './database/database.ts'
import { readersOf, topicNames } from './events/topics.ts'
import { ExperimentStore } from './experiments/experiment-store.ts'
import { KeyStore } from './keys/key-store.ts'
import { openDuckDb } from './lake/duckdb.ts'
import { type Lake, openLake } from './lake/lake.ts'
import type { SlotProbe } from './operations/health.ts'
import { openDuckDbQueryEngine } from './query/duckdb-query-engine.ts'
import { openSandboxedSql, type SandboxedSqlOptions } from './query/sandbox/sandboxed-sql.ts'
import { RuleStore } from './rules/rule-store.ts'
import type { StateStore } from './state/state-store.ts'

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

  /** Opens on first call; the last opened is closed first. */
  function once<T>(open: () => Promise<T>, close: (part: T) => Promise<void>): () => Promise<T> {
    let opening: Promise<T> | null = null
    return () => {
      opening ??= openAndRemember(open, close)
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
      (await import('@arus/event-log')).openLmdbEventLog({
        folder: folders.log,
        retentionHolds: readersOf(topicNames(settings.shop)),
      }),
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
  const lake = once(
    async () =>
      openLake({
        root: folders.lake,
        duckdb: await duckdb(),
        sessionGapMinutes: settings.sessionGapMs / 60_000,
      }),
    (part) => part.close(),
  )
  const query = once(
    async () => openDuckDbQueryEngine({ lake: await lake(), lakeRoot: folders.lake }),
    (part) => part.close(),
  )
  const sql = once(
    async () => openSandboxedSql(sandboxOptions(settings, await lake())),
    (part) => part.close(),
  )
  const database = once(
    () => openDatabase(settings),
    (part) => part.destroy(),
  )
  const registry = once(
    async () =>
      (await import('./registry/lake-registry.ts')).openRegistry({
        database: await database(),
        folder: folders.models,
      }),
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
    lake,
    query,
    sql,
    database,
    registry,
    erasures,
    keys,
    rules,
    experiments,
    catalogue,
    async close() {
      for (const close of closers.splice(0)) await close()
    },
  }
}

async function openState(settings: Settings): Promise<StateStore> {
  const { redisUrl: url, shop } = settings
  if (url === null)
    return (await import('./state/lmdb-state-store.ts')).openLmdbStateStore({
      folder: dataFolders(settings).state,
    })
  const onWarning = (message: string) => process.emitWarning(message)
  return (await import('./state/valkey-state-store.ts')).openValkeyStateStore({ url, shop, onWarning })
}

async function openDatabase(settings: Settings): Promise<ArusDatabase> {
  const { databaseUrl: url, shop } = settings
  if (url !== null)
    return (await import('./database/postgres-database.ts')).openPostgresDatabase({ url, shop })
  return (await import('./database/sqlite-database.ts')).openSqliteDatabase({ file: databasePlace(settings) })
}

function databasePlace(settings: Settings): string {
  const { databaseUrl: url } = settings
  return url === null ? join(dataFolders(settings).database, 'arus.sqlite') : maskedUrl(url)
}

function sandboxOptions(settings: Settings, lake: Lake): SandboxedSqlOptions {
  const folders = dataFolders(settings)
  return {
    lake,
    lakeRoot: folders.lake,
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

/** How each slot of DESIGN §2 is filled in this process, for health and `arus doctor`. */
export function slotProbes(parts: Parts): SlotProbe[] {
  const folders = dataFolders(parts.settings)
  return [
    {
      slot: 'event log',
      adapter: 'lmdb',
      detail: folders.log,
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
      adapter: 'local folder',
      detail: folders.lake,
      isHealthy: async () => Array.isArray(await (await parts.lake()).describe()),
    },
    {
      slot: 'compute',
      adapter: 'duckdb and a training process',
      detail: `${Math.round(parts.settings.sqlMemoryBytes / 1024 / 1024)} MB, then ${folders.temporary}`,
      isHealthy: async () => (await parts.query()).isHealthy(),
    },
    {
      slot: 'sql',
      adapter: 'duckdb',
      detail: 'in processes of its own, over the Delta snapshots',
      isHealthy: async () => (await parts.sql()).isHealthy(),
    },
    {
      slot: 'model registry',
      adapter: 'database and folder',
      detail: folders.models,
      isHealthy: async () => (await parts.registry()).isHealthy(),
    },
    {
      slot: 'database',
      adapter: parts.settings.databaseUrl === null ? 'sqlite' : 'postgresql',
      detail: databasePlace(parts.settings),
      isHealthy: async () => (await parts.registry()).isHealthy(),
    },
  ]
}
