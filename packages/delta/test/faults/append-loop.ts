import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  column,
  type DataFile,
  DeltaError,
  DeltaTable,
  type ParquetEngine,
  type Storage,
} from '../../src/index.ts'

/** What a writer knows of one of its commits. */
export interface AppendRecord {
  readonly id: string
  /** The version it was told; `unknown` and `failed` by the error's code. */
  readonly outcome: number | 'unknown' | 'failed'
  /** Of the error, where it had one. */
  readonly code?: string
}

/** What is wrong with a log, given what its writers were told; empty when nothing is. */
export interface Verdict {
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  /** Reported as not written, and yet there. */
  readonly denied: readonly string[]
  readonly gaps: readonly number[]
  readonly versionCount: number
  /** Ids of the appends that are in the log. */
  readonly ids: ReadonlySet<string>
}

/** `toMatchObject` of a verdict that nothing is wrong with. */
export const NOTHING_WRONG = { lost: [], doubled: [], denied: [], gaps: [] } as const

const OPENS_MAX = 100

function isUnused(): never {
  throw new Error('This table has no Parquet and no checkpoint')
}

/** Of tables whose log holds commits alone, and whose data nobody reads. */
const NO_PARQUET: ParquetEngine = {
  writeActions: isUnused,
  relation: isUnused,
  write: isUnused,
  columns: isUnused,
  rows: isUnused,
  quoteName: isUnused,
  quoteText: isUnused,
}

/** A new table that writes no checkpoints. */
export async function createLogTable(storage: Storage): Promise<void> {
  await DeltaTable.create(
    { storage, engine: NO_PARQUET },
    {
      schema: { type: 'struct', fields: [column('n', 'long')] },
      properties: { 'delta.checkpointInterval': '1000000000' },
    },
  )
}

export function openLogTable(storage: Storage): Promise<DeltaTable> {
  return DeltaTable.open({ storage, engine: NO_PARQUET })
}

/** Opens a table on a storage that fails now and then. */
export async function untilOpen(open: () => Promise<DeltaTable>): Promise<DeltaTable> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open()
    } catch (error) {
      if (attempt === OPENS_MAX || !(error instanceof DeltaError && error.canRetry)) throw error
    }
  }
}

/** Makes the data files of an append. */
export type WriteData = (table: DeltaTable, id: string) => Promise<DataFile[]>

/** One data file that is not Parquet: nobody reads it. */
export const writeAnything: WriteData = async (table, id) => {
  const path = `${id}.parquet`
  const local = table.storage.localPath(path)
  await mkdir(dirname(local), { recursive: true })
  await writeFile(local, id)
  return [{ path, sizeBytes: id.length, rowCount: 1, partitionValues: {}, stats: '{"numRecords":1}' }]
}

/** One data file of Parquet with one row. */
export const writeParquet: WriteData = (table) => table.write('SELECT 1::BIGINT AS n')

/** Commits an append whose id, which no other has, is written into the commit. */
export async function appendOne(
  table: DeltaTable,
  id: string,
  writeData: WriteData = writeAnything,
): Promise<AppendRecord> {
  try {
    const add = await writeData(table, id)
    const outcome = await table.commit({ add, operation: 'WRITE', operationParameters: { id } })
    if (outcome.kind !== 'committed') throw new Error(`A blind append was told ${outcome.kind}`)
    return { id, outcome: outcome.version }
  } catch (error) {
    const code = error instanceof DeltaError ? error.code : String(error)
    return { id, outcome: code === 'DELTA_OUTCOME_UNKNOWN' ? 'unknown' : 'failed', code }
  }
}

/** Compares a log, read file by file, with what its writers were told. Throws when a commit does not parse. */
export async function judge(storage: Storage, records: readonly AppendRecord[]): Promise<Verdict> {
  const names = (await storage.listNames('_delta_log')).filter((name) => /^\d{20}\.json$/.test(name))
  const versionsOf = new Map<string, number[]>()
  for (const name of names) {
    const version = Number(name.slice(0, 20))
    for (const id of await idsIn(storage, name)) versionsOf.set(id, [...(versionsOf.get(id) ?? []), version])
  }
  const idsWhere = (isWrong: (record: AppendRecord, versions: readonly number[]) => boolean) =>
    records.filter((record) => isWrong(record, versionsOf.get(record.id) ?? [])).map((record) => record.id)
  return {
    lost: idsWhere(({ outcome }, versions) => typeof outcome === 'number' && !versions.includes(outcome)),
    doubled: [...versionsOf].filter(([, versions]) => versions.length > 1).map(([id]) => id),
    denied: idsWhere(({ outcome }, versions) => outcome === 'failed' && versions.length > 0),
    gaps: names
      .map((name, i) => [Number(name.slice(0, 20)), i])
      .filter(([v, i]) => v !== i)
      .map(([v]) => v!),
    versionCount: names.length,
    ids: new Set(versionsOf.keys()),
  }
}

/** Ids of the appends in a commit: one, or none when it is not an append. Throws when a line is not JSON. */
async function idsIn(storage: Storage, name: string): Promise<string[]> {
  const text = new TextDecoder().decode(await storage.read(`_delta_log/${name}`))
  if (text === '') throw new Error(`Commit ${name} is empty`)
  return text.split('\n').flatMap((line) => {
    if (line === '') return []
    const action = JSON.parse(line) as {
      readonly commitInfo?: { readonly operationParameters?: { id?: unknown } }
    }
    const id = action.commitInfo?.operationParameters?.id
    return id === undefined ? [] : [String(id).replaceAll('"', '')]
  })
}
