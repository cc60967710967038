import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from '../lake/lake.ts'
import { lockWhenFree } from '../operations/server-lock.ts'
import type { OnProgress } from '../progress.ts'
import { BUILD_LOCK, buildCatalogueFromLake } from './build-from-lake.ts'
import { CATALOGUE_FORMAT } from './catalogue-files.ts'
import { collectGarbage } from './collect-garbage.ts'
import { openCsvSource } from './csv-source.ts'
import {
  addNamedCategories,
  bronzeCategoriesSelect,
  CATEGORIES_TABLE,
  deriveCategories,
  loadCategories,
} from './import-categories.ts'
import { importedSource, markOf, removeMarker, writeMarker } from './import-marker.ts'
import {
  type DoneSteps,
  type ImportMarks,
  type ReadFacts,
  type RefinedFacts,
  removeProgress,
  savedProgress,
  saveProgress,
} from './import-progress.ts'
import { ImportRejections } from './import-rejections.ts'
import type { ImportReport, Rejection } from './import-report.ts'
import {
  FAULTY_TABLE,
  faultyTableSql,
  quoted,
  soundProducts,
  stagedRelation,
  textsToTrim,
  typedProducts,
} from './import-sql.ts'
import { interruptible } from './interruptible.ts'
import { onOneThread } from './one-thread.ts'
import {
  locateProductColumns,
  PRODUCT_COLUMNS,
  type ProductColumn,
  productFieldKinds,
} from './product-columns.ts'
import { type StagedCsv, stageCsv } from './staged-csv.ts'
import { makeWorkingFolder } from './working-folder.ts'

export interface ImportCatalogueOptions {
  readonly productsFile: string
  readonly categoriesFile: string | null
  readonly lake: Lake
  /** The catalogue's folder. */
  readonly folder: string
  /** UTC ms. */
  readonly now: () => number
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/**
 * Imports a products file (CSV, plain or gzip; column order free; `category_id` or `categoryName`) and its categories:
 * `bronze.products` and `bronze.categories` as the files stand, `bronze.rejected_products`, `silver.products`, and the
 * catalogue that is served. Replaces what was imported before; the same files give the same tables.
 *
 * The whole file is checked before anything is written: one that is missing, cut off or no CSV throws `FILE_UNREADABLE` or
 * `CSV_INVALID` and changes nothing. Each table is replaced by one atomic commit; the catalogue being served changes last,
 * in one step, so an interrupted import (`CANCELLED`, or killed) leaves the old one serving, or a running server builds it from
 * silver, where that was committed; the next one of the same files goes on after the last of bronze and silver that was. One
 * import into a folder at a time: another waits. Rows that cannot be taken never stop an import: see
 * `REJECTION_REASONS`.
 */
export async function importCatalogue(options: ImportCatalogueOptions): Promise<ImportReport> {
  const { lake, folder, signal } = options
  const temporaryFolder = await makeWorkingFolder(folder)
  const connection = await lake.duckdb.connect()
  try {
    return await interruptible(connection, signal, async () => {
      const release = await lockWhenFree(join(folder, BUILD_LOCK), signal)
      try {
        return await runImport(connection, temporaryFolder, options)
      } finally {
        release()
      }
    })
  } finally {
    connection.closeSync()
    await rm(temporaryFolder, { recursive: true, force: true })
  }
}

/** Whether the catalogue in service was made from these very files (by size, time of change and a digest of both ends). */
export async function isImported(options: {
  readonly folder: string
  readonly productsFile: string
  readonly categoriesFile?: string | null
}): Promise<boolean> {
  const marker = await importedSource(options.folder)
  if (marker === null) return false
  if (!isSame(await markOf(options.productsFile), marker.products)) return false
  if (options.categoriesFile === undefined || options.categoriesFile === null) return true
  return isSame(await markOf(options.categoriesFile), marker.categories)
}

function isSame(left: unknown, right: unknown): boolean {
  return left !== null && JSON.stringify(left) === JSON.stringify(right)
}

/** One import under way. */
interface Run extends ImportCatalogueOptions {
  readonly connection: DuckDBConnection
  readonly temporaryFolder: string
  readonly marks: ImportMarks
  /** Reports that a step begins. */
  readonly say: (step: string, done: number) => void
}

async function runImport(
  connection: DuckDBConnection,
  temporaryFolder: string,
  options: ImportCatalogueOptions,
): Promise<ImportReport> {
  const { lake, folder, onProgress, now, productsFile, categoriesFile } = options
  const startedMs = now()
  const marks = await markFiles(productsFile, categoriesFile)
  const say = (step: string, done: number) => onProgress?.({ step, done, total: 4, unit: 'steps' })
  const run: Run = { ...options, connection, temporaryFolder, marks, say }
  const done = await savedProgress(folder, lake, marks)
  const refined =
    done?.step === 'silver' ? done.refined : await onOneThread(connection, () => refineProducts(run, done))
  say('Building the catalogue', 3)
  const built = await buildCatalogueFromLake({ ...options, nowMs: now() })
  const report: ImportReport = {
    ...refined,
    products_file: productsFile,
    categories_file: categoriesFile,
    categories: built.categoryCount,
    catalogue_version: built.version,
    took_ms: now() - startedMs,
  }
  await writeMarker(folder, { ...marks, format: CATALOGUE_FORMAT, lake: built.content, report })
  await removeProgress(folder)
  return report
}

/** Reads the file into `bronze.products`, unless `done` says that it stands there. */
async function writeBronze(run: Run, done: DoneSteps | null): Promise<{ version: number; read: ReadFacts }> {
  if (done?.step === 'bronze') return done
  const { lake, folder, connection, marks, productsFile, temporaryFolder, signal, onProgress, say } = run
  const source = await openCsvSource(productsFile)
  const columns = locateProductColumns(source)
  const staged = await stageCsv({
    source,
    fieldKinds: productFieldKinds(source, columns),
    temporaryFolder,
    step: `Checking ${productsFile}`,
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  })
  // The ids of all records.
  collectGarbage()
  await removeMarker(folder)
  await removeProgress(folder)
  say('Writing bronze', 0)
  const select = bronzeSelect(stagedRelation(source, staged), columns)
  const { version, rowCount } = await lake.write('bronze.products', select, replacing(connection))
  assertRowCount(rowCount, staged, productsFile)
  const { recordCount, broken, doubtfulLines } = staged
  const read = { recordCount, broken, doubtfulLines }
  await saveProgress(folder, lake, { marks, done: { step: 'bronze', version, read } })
  return { version, read }
}

/** Bronze, categories, rejected rows and silver: everything in the lake. */
async function refineProducts(run: Run, done: DoneSteps | null): Promise<RefinedFacts> {
  const { lake, folder, connection, marks, temporaryFolder, signal, now, productsFile, categoriesFile, say } =
    run
  const categoryRejections =
    categoriesFile === null
      ? null
      : await loadCategories(connection, {
          file: categoriesFile,
          temporaryFolder,
          ...(signal ? { signal } : {}),
        })
  const { version: bronzeVersion, read } = await writeBronze(run, done)
  const replace = replacing(connection)
  const { sql: bronze } = await lake.relation('bronze.products')
  // What an older Arus read has none.
  const doubtfulLines = read.doubtfulLines ?? null
  const typed = typedProducts(bronze, await textsToTrim(connection, bronze, doubtfulLines))
  await connection.run(faultyTableSql(bronze, doubtfulLines))
  const sound = soundProducts(typed, await countOf(connection, `SELECT count(*) FROM ${FAULTY_TABLE}`))
  if (categoryRejections === null) await deriveCategories(connection, sound)
  await addNamedCategories(connection, sound)
  const categories = await lake.write('bronze.categories', bronzeCategoriesSelect(), replace)
  const rejections = await ImportRejections.find(connection, sound, doubtfulLines)
  await rejections.add(brokenRows(read), categoryRejections ?? [])
  say('Writing rejected rows', 1)
  const rejected = await lake.write('bronze.rejected_products', rejections.select(now()), replace)
  const rowsRead = read.recordCount + read.broken.length
  await refuseNothing(rejections, rowsRead, productsFile)
  say('Writing silver', 2)
  const select = await silverSelect(connection, typed, rejections.isTakenSql())
  const silver = await lake.write('silver.products', select, replace)
  const refined: RefinedFacts = {
    products_file: productsFile,
    categories_file: categoriesFile,
    rows_read: rowsRead,
    rows_imported: silver.rowCount,
    rows_dropped: rowsRead - silver.rowCount,
    rejected: await rejections.countByReason(),
    examples: await rejections.examples(),
    table_versions: {
      'bronze.products': bronzeVersion,
      'bronze.categories': categories.version,
      'bronze.rejected_products': rejected.version,
      'silver.products': silver.version,
    },
  }
  await saveProgress(folder, lake, { marks, done: { step: 'silver', refined } })
  return refined
}

/**
 * Ids, titles and addresses hardly repeat: a dictionary of them is tried in vain. Snappy, as Spark writes: zstd at its
 * quickest takes half as much time again to write, and longer to read, for two thirds of the bytes. Titles of a row group
 * are some 2 MB.
 */
const FILES = { dictionaryValuesMax: 1_000, compression: 'snappy', rowGroupRows: 40_960 } as const

function replacing(connection: DuckDBConnection) {
  return { mode: 'overwrite', connection, fileOptions: FILES } as const
}

async function countOf(connection: DuckDBConnection, select: string): Promise<number> {
  return Number((await connection.runAndReadAll(select)).getRows()[0]?.[0])
}

async function markFiles(productsFile: string, categoriesFile: string | null): Promise<ImportMarks> {
  const products = await markOf(productsFile)
  if (products === null)
    throw new ArusError(
      'FILE_UNREADABLE',
      `Cannot read ${productsFile}: there is no such file, or no permission`,
    )
  return { products, categories: categoriesFile === null ? null : await markOf(categoriesFile) }
}

/** Every bronze column by its name, null where the file has none. */
function bronzeSelect(relation: string, columns: ReadonlyMap<ProductColumn, number>): string {
  const names = Object.keys(PRODUCT_COLUMNS) as ProductColumn[]
  const selected = names.map((name) => {
    const position = columns.get(name)
    return `${position === undefined ? 'CAST(NULL AS VARCHAR)' : `c${position}`} AS "${name}"`
  })
  return `SELECT line_number, ${selected.join(', ')} FROM ${relation}`
}

/** A category is joined by its id where the row states one, else by its name. */
async function silverSelect(connection: DuckDBConnection, typed: string, taken: string): Promise<string> {
  const named = `category_name IS NOT NULL AND raw_category_id IS NULL`
  const hasNames =
    (await countOf(connection, `SELECT count(*) FROM (FROM (${typed}) WHERE ${named} LIMIT 1)`)) > 0
  const column = (name: string) => (hasNames ? `coalesce(by_id.${name}, by_name.${name})` : `by_id.${name}`)
  return `SELECT product_id, title, image_url, product_url, stars, reviews, price, list_price,
      CASE WHEN price < list_price THEN 1 - price / list_price END AS discount,
      ${column('id')} AS category_id, ${column('name')} AS category, is_best_seller, bought_in_last_month
    FROM (${typed}) p LEFT JOIN ${CATEGORIES_TABLE} by_id ON by_id.id = p.category_id ${hasNames ? JOIN_BY_NAME : ''}
    WHERE ${taken}`
}

/** Left out where no row needs it: a join of every product costs a tenth of silver. */
const JOIN_BY_NAME = `LEFT JOIN (SELECT min(id) AS id, name FROM ${CATEGORIES_TABLE} GROUP BY name) by_name
  ON by_name.name = p.category_name AND p.raw_category_id IS NULL`

function brokenRows(read: ReadFacts): Rejection[] {
  return read.broken.map(({ line, reason, detail, text }) => ({ line, reason, detail, text }))
}

/** Throws when no row is left to import: then silver, and what is served, stay as they were. */
async function refuseNothing(rejections: ImportRejections, rowsRead: number, file: string): Promise<void> {
  if ((await rejections.droppedProductCount()) < rowsRead) return
  const examples = await rejections.examples()
  throw new ArusError(
    'CSV_INVALID',
    `No row of ${file} could be imported; line ${examples[0]?.line}: ${examples[0]?.detail}. All reasons are in bronze.rejected_products`,
    { details: { rejected: await rejections.countByReason(), examples } },
  )
}

function assertRowCount(rowCount: number, staged: StagedCsv, file: string): void {
  if (rowCount === staged.recordCount) return
  throw new ArusError(
    'CSV_INVALID',
    `${quoted(file)}: ${staged.recordCount} records were found but ${rowCount} read; did the file change meanwhile? Import it again`,
  )
}
