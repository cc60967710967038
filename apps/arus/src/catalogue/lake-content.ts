import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from '../lake/lake.ts'

const TABLES = ['silver.products', 'bronze.categories'] as const

interface TableState {
  /** Another where the table was made anew. */
  readonly id: string
  readonly version: number
}

/** The versions of the tables that a catalogue is built from. */
export type LakeContent = Readonly<Record<(typeof TABLES)[number], TableState>>

/** What stands in the lake now, looked at anew. */
export async function newestContent(lake: Lake): Promise<LakeContent> {
  const states = TABLES.map(async (name) => {
    const { metadata, version } = (await lake.reopen(name)).known
    return [name, { id: metadata.id, version }] as const
  })
  return Object.fromEntries(await Promise.all(states)) as LakeContent
}

/** Whether two are of one commit of products, which is the last of an import. */
export function isSameCommit(one: LakeContent, other: LakeContent): boolean {
  const [a, b] = [one['silver.products'], other['silver.products']]
  return a.id === b.id && a.version === b.version
}

/**
 * Whether two have the same rows, as after small files were put together, or after another server imported the same file. False, too,
 * where one of them cannot be read any more. Reads both whole.
 */
export async function haveSameRows(lake: Lake, one: LakeContent, other: LakeContent): Promise<boolean> {
  if (TABLES.some((name) => one[name].id !== other[name].id)) return false
  const connection = await lake.duckdb.connect()
  try {
    for (const name of TABLES) {
      if (one[name].version === other[name].version) continue
      const digests = [one, other].map(async (content) => {
        const { sql } = await lake.relation(name, content[name].version)
        return digestOf(connection, sql)
      })
      const [a, b] = await Promise.all(digests)
      if (a !== b) return false
    }
    return true
  } catch {
    return false
  } finally {
    connection.closeSync()
  }
}

/** The same for the same rows in any order. */
async function digestOf(connection: DuckDBConnection, relation: string): Promise<string> {
  const reader = await connection.runAndReadAll(
    `SELECT concat(count(*), '/', sum(hash(one)::HUGEINT)) FROM ${relation} one`,
  )
  return String(reader.getRows()[0]?.[0])
}
