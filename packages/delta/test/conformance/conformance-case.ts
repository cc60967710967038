import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** One archive of a folder of test tables, and what its `index.json` says of it. */
export interface ConformanceCase {
  readonly name: string
  /** The archive's path on this machine. */
  readonly archive: string
  /** Where the expected rows are inside the archive's own folder. */
  readonly expectedFolder: string
  /** Rows another reader counted; null when none did. */
  readonly rowCount: number | null
}

const ARCHIVE = /\.(tar\.gz|tgz|tar)$/

/**
 * The cases of a folder (`index.json`, `tables/*.tar.gz`) in the order of its index, followed by archives the index does
 * not list. Fields an entry lacks are derived from those it has; an entry that names no table is left out.
 */
export function readCases(folder: string): ConformanceCase[] {
  const listed = indexEntries(folder).flatMap((entry) => caseOf(folder, entry) ?? [])
  const known = new Set(listed.map((one) => one.archive))
  const unlisted = archivesOf(folder).flatMap((archive) => caseOf(folder, { archive }) ?? [])
  return [...listed, ...unlisted.filter((one) => !known.has(one.archive))]
}

function indexEntries(folder: string): readonly Readonly<Record<string, unknown>>[] {
  const path = join(folder, 'index.json')
  if (!existsSync(path)) return []
  const index: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const entries: unknown = Array.isArray(index) ? index : (index as { readonly tables?: unknown })?.tables
  return Array.isArray(entries) ? entries.filter((entry) => typeof entry === 'object' && entry !== null) : []
}

function archivesOf(folder: string): string[] {
  const tables = join(folder, 'tables')
  if (!existsSync(tables)) return []
  const names = readdirSync(tables).filter((name) => ARCHIVE.test(name) && !name.startsWith('.'))
  return names.sort().map((name) => `tables/${name}`)
}

function caseOf(folder: string, entry: Readonly<Record<string, unknown>>): ConformanceCase | null {
  const given = textOf(entry.archive)
  const name = textOf(entry.name) ?? (given === null ? null : basename(given).replace(ARCHIVE, ''))
  if (name === null) return null
  const other = entry.deltalake_python as { readonly rows?: unknown } | null | undefined
  return {
    name,
    archive: join(folder, given ?? `tables/${name}.tar.gz`),
    expectedFolder: textOf(entry.expected) ?? 'expected',
    rowCount: countOf(entry.expected_rows) ?? countOf(other?.rows),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null
}
