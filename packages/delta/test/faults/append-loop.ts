import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { column, DeltaError, DeltaTable, type ParquetEngine, type Storage } from '../../src/index.ts'

/** What a writer knows of one of its commits. */
export interface AppendRecord {
  readonly id: string
  /** The version it was told; `unknown` and `failed` by the error's code. */
  readonly outcome: number | 'unknown' | 'failed'
}

/** What is wrong with a log, given what its writers were told; empty when nothing is. */
export interface Verdict {
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  /** Reported as not written, and yet there. */
  readonly denied: readonly string[]
  readonly gaps: readonly number[]
  readonly versionCount: number
}

/** Of tables whose log holds commits alone. */
const NO_PARQUET: ParquetEngine = {
  writeCheckpoint: () => Promise.reject(new Error('No checkpoint is due in this table')),
  readCheckpoint: () => Promise.reject(new Error('This table has no checkpoint')),
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

/** Commits one data file, which is not Parquet: nobody reads it. Its id, which no other has, is its name. */
export async function appendOne(table: DeltaTable, id: string): Promise<AppendRecord> {
  const path = `${id}.parquet`
  const local = table.storage.localPath(path)
  try {
    await mkdir(dirname(local), { recursive: true })
    await writeFile(local, id)
    const outcome = await table.commit({
      add: [{ path, sizeBytes: id.length, rowCount: 1, partitionValues: {}, stats: { numRecords: 1 } }],
      operation: 'WRITE',
    })
    if (outcome.kind !== 'committed') throw new Error(`A blind append was told ${outcome.kind}`)
    return { id, outcome: outcome.version }
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error
    return { id, outcome: error.code === 'DELTA_OUTCOME_UNKNOWN' ? 'unknown' : 'failed' }
  }
}

/** Compares a log, read file by file, with what its writers were told. Throws when a commit does not parse. */
export async function judge(storage: Storage, records: readonly AppendRecord[]): Promise<Verdict> {
  const names = (await storage.listNames('_delta_log')).filter((name) => /^\d{20}\.json$/.test(name))
  const versionsOf = new Map<string, number[]>()
  for (const name of names) {
    const version = Number(name.slice(0, 20))
    for (const path of await addedPaths(storage, name)) {
      const id = path.replace(/\.parquet$/, '')
      versionsOf.set(id, [...(versionsOf.get(id) ?? []), version])
    }
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
  }
}

async function addedPaths(storage: Storage, name: string): Promise<string[]> {
  const text = new TextDecoder().decode(await storage.read(`_delta_log/${name}`))
  return text.split('\n').flatMap((line) => {
    if (line === '') return []
    const action = JSON.parse(line) as { readonly add?: { readonly path: string } }
    return action.add === undefined ? [] : [action.add.path]
  })
}
