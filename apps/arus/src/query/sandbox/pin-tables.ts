import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { DeltaError } from '@arus/delta'
import { ArusError } from '../../errors.ts'
import type { Lake } from '../../lake/lake.ts'
import type { TableName } from '../../lake/table-names.ts'
import { tableName } from '../../lake/tables/index.ts'
import type { PinnedRelation, TableMoment, TableUse } from './protocol.ts'

/** A table of a query at the version it is read at. */
export interface PinnedTable extends PinnedRelation {
  readonly name: TableName
  readonly version: number
}

export interface PinOptions {
  readonly lake: Lake
  /** The only folder files are read from. */
  readonly lakeRoot: string
  /** Versions to read instead of the newest: those of the page before. */
  readonly versions?: readonly number[]
}

/** Collects of all newest versions before a moment is given up for: only a lake that changes every few milliseconds needs more than two. */
const COLLECTS_MAX = 8

/**
 * Resolves every table of a query once. Tables read at their newest are read at one moment: their versions are collected
 * until two collects in a row agree, which proves that between the two all of them were the newest at once.
 * Throws `TABLE_UNKNOWN`, `TABLE_VERSION_UNKNOWN`.
 */
export async function pinTables(uses: readonly TableUse[], options: PinOptions): Promise<PinnedTable[]> {
  const { lake, versions } = options
  const named = uses.map((use) => ({ name: tableName(use.name), at: use.at }))
  const wanted =
    versions ??
    (await Promise.all(named.map(({ name, at }) => (at === null ? null : versionAt(lake, name, at)))))
  const newest = await collectNewest(
    lake,
    named.filter((_, i) => wanted[i] === null).map(({ name }) => name),
  )
  return Promise.all(
    named.map(async ({ name }, i) => {
      const relation = await relationOf(lake, name, wanted[i] ?? newest.get(name))
      const pinned = { name, version: relation.version, sql: relation.sql, files: filesOf(relation) }
      await assertInside(pinned, options.lakeRoot)
      return pinned
    }),
  )
}

async function collectNewest(
  lake: Lake,
  names: readonly TableName[],
): Promise<ReadonlyMap<TableName, number>> {
  const collect = async () =>
    new Map(
      await Promise.all(
        names.map(async (name) => [name, (await (await lake.table(name)).snapshot()).version] as const),
      ),
    )
  let last = await collect()
  for (let i = 1; i < COLLECTS_MAX && names.length > 1; i++) {
    const next = await collect()
    const isSame = names.every((name) => next.get(name) === last.get(name))
    last = next
    if (isSame) break
  }
  return last
}

async function versionAt(lake: Lake, name: TableName, at: TableMoment): Promise<number> {
  if ('version' in at) return at.version
  const timestampMs = instantOf(at.timestamp)
  const table = await lake.table(name)
  return (await table.at({ timestampMs }).catch((error: unknown) => refuse(name, error))).version
}

async function relationOf(lake: Lake, name: TableName, version: number | undefined) {
  const newest = (await (await lake.table(name)).snapshot()).version
  // The newest is known already; an older one is read from the log.
  const asked = version === newest ? lake.relation(name) : lake.relation(name, version)
  const relation = await asked.catch((error: unknown) => refuse(name, error))
  return version === undefined || relation.version === version
    ? relation
    : lake.relation(name, version).catch((error: unknown) => refuse(name, error))
}

function refuse(name: TableName, error: unknown): never {
  if (error instanceof DeltaError && error.code === 'DELTA_VERSION_UNKNOWN') {
    throw new ArusError('TABLE_VERSION_UNKNOWN', `${name}: ${error.message}`, { cause: error })
  }
  throw error
}

/** UTC milliseconds of an ISO 8601 text; without a zone it is UTC. Throws `QUERY_INVALID`. */
export function instantOf(text: string): number {
  const [date = '', time] = text.trim().split(/[T ]/i, 2)
  const zoned = time?.replace(/([+-]\d\d)$/, '$1:00') ?? '00:00'
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(zoned)
  const ms = Date.parse(`${date}T${zoned}${hasZone ? '' : 'Z'}`)
  if (/^\d{4}-\d\d-\d\d$/.test(date) && Number.isFinite(ms)) return ms
  throw new ArusError(
    'QUERY_INVALID',
    `"${text.slice(0, 60)}" is not an instant; write it as 2026-01-31T10:00:00Z`,
  )
}

/** Local files a relation reads. The relation tells them itself once the Delta library does; until then its text does. */
function filesOf(relation: { readonly sql: string; readonly files?: readonly string[] }): readonly string[] {
  if (relation.files !== undefined) return relation.files
  return [...relation.sql.matchAll(/'((?:[^']|'')*\.parquet)'/g)].map(([, path = '']) =>
    path.replaceAll("''", "'"),
  )
}

/** A table's log, or a link in its folder, might lead anywhere: what lies outside the lake is not read. */
async function assertInside({ name, version, files }: PinnedTable, lakeRoot: string): Promise<void> {
  if (files.length === 0) return
  const root = `${await realpath(lakeRoot)}${sep}`
  for (const file of files) {
    const real = await realpath(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      throw new ArusError(
        'TABLE_VERSION_UNKNOWN',
        `${name}: files of version ${version} have been removed; its history is kept only so long`,
      )
    })
    if (!real.startsWith(root)) {
      throw new ArusError('QUERY_INVALID', `${name}: a file of version ${version} lies outside the lake`)
    }
  }
}
