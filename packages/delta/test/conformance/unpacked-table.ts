import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import * as tar from 'tar'
import type { ConformanceCase } from './conformance-case.ts'

/** The rows a table must have, at its newest version or at one named. */
export interface Expectation {
  readonly version: number | null
  /** Parquet files that hold them; none means no rows. */
  readonly files: readonly string[]
}

/** A Delta table of an unpacked archive. */
export interface UnpackedTable {
  /** Path inside the archive's `delta` folder; empty for that folder itself. */
  readonly path: string
  readonly root: string
  readonly expectations: readonly Expectation[]
  /** See `ConformanceCase`. */
  readonly rowCount: number | null
}

const LOG_FOLDER = '_delta_log'

/** Unpacks the archive of a case into an empty folder and finds the tables in it. */
export async function unpack(
  { name, archive, expectedFolder, rowCount }: ConformanceCase,
  folder: string,
): Promise<UnpackedTable[]> {
  await tar.extract({ file: archive, cwd: folder })
  const home = existsSync(join(folder, name)) ? join(folder, name) : folder
  const expected = join(home, expectedFolder)
  const delta = existsSync(join(home, 'delta')) ? join(home, 'delta') : home
  const found = foldersOf(delta).filter(
    (path) => existsSync(join(path, LOG_FOLDER)) && !path.startsWith(expected),
  )
  // An archive without any log is still a table to open, and to refuse.
  const roots = found.length === 0 ? [delta] : found
  return roots.map((root) => {
    const path = relative(delta, root).split(sep).join('/')
    const isTheTable = path === '' || roots.length === 1
    const own = isTheTable ? expected : join(expected, path)
    return {
      path,
      root,
      expectations: existsSync(own) ? expectationsOf(own) : [],
      rowCount: isTheTable ? rowCount : null,
    }
  })
}

/**
 * Two layouts: Parquet files anywhere below the folder, which are the rows of the newest version; or, as Delta's
 * acceptance tests have it, `latest/table_content` and `v0/table_content`, `v1/…` with those of each version.
 */
function expectationsOf(expected: string): Expectation[] {
  const versions = readdirSync(expected).flatMap((name) => {
    const content = join(expected, name, 'table_content')
    const [, version] = /^v(\d+)$/.exec(name) ?? []
    if (!existsSync(content) || (version === undefined && name !== 'latest')) return []
    return [{ version: version === undefined ? null : Number(version), files: parquetFilesOf(content) }]
  })
  return versions.length > 0 ? versions : [{ version: null, files: parquetFilesOf(expected) }]
}

function parquetFilesOf(folder: string): string[] {
  return foldersOf(folder)
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)))
    .filter((path) => /[/\\][^._/\\][^/\\]*\.parquet$/.test(path) && statSync(path).isFile())
    .sort()
}

/** The folder and those below it, hidden ones and logs left out. */
function foldersOf(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== LOG_FOLDER,
  )
  return [folder, ...below.flatMap((entry) => foldersOf(join(folder, entry.name)))]
}
