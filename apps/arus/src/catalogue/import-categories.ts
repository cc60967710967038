import type { DuckDBConnection } from '@duckdb/node-api'
import { openCsvSource } from './csv-source.ts'
import type { Rejection } from './import-report.ts'
import { displayName, quoted, stagedRelation } from './import-sql.ts'
import { locateCategoryColumns } from './product-columns.ts'
import { stageCsv } from './staged-csv.ts'

/** Tables of the import's own connection. */
export const CATEGORIES_TABLE = 'import_categories'
const RAW_CATEGORIES_TABLE = 'import_raw_categories'

/**
 * Reads a categories file into two temporary tables: as it stands (`line_number, id, category_name`) and cleaned (`id,
 * name`, distinct). Answers the rows that could not be taken: an id that is no whole number, no name, an id seen before.
 */
export async function loadCategories(
  connection: DuckDBConnection,
  options: { file: string; temporaryFolder: string; signal?: AbortSignal },
): Promise<Rejection[]> {
  const source = await openCsvSource(options.file)
  const at = locateCategoryColumns(source)
  const staged = await stageCsv({ source, step: `Reading ${options.file}`, ...options })
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${RAW_CATEGORIES_TABLE} AS
    SELECT line_number, c${at.get('id')} AS id, c${at.get('category_name')} AS category_name
    FROM ${stagedRelation(source, staged)}`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${CATEGORIES_TABLE} AS
    SELECT try_cast(trim(id) AS INTEGER) AS id, arg_min(${displayName('category_name')}, line_number) AS name
    FROM ${RAW_CATEGORIES_TABLE} WHERE ${IS_TAKEN} GROUP BY 1`)
  const structural = staged.broken.map(({ line, detail, text }) => categoryRejection(line, detail, text))
  return [...structural, ...(await readRejections(connection))]
}

/** The same tables where there is no file: categories made from the ids that sound products name. */
export async function deriveCategories(connection: DuckDBConnection, sound: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${RAW_CATEGORIES_TABLE}
    (line_number BIGINT, id VARCHAR, category_name VARCHAR)`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${CATEGORIES_TABLE} AS
    SELECT category_id AS id, 'Category ' || category_id AS name FROM ${sound}
    WHERE category_id IS NOT NULL GROUP BY category_id`)
}

/** Gives an id to each category name of sound products that has none: after the largest, by name. */
export async function addNamedCategories(connection: DuckDBConnection, sound: string): Promise<void> {
  await connection.run(`INSERT INTO ${CATEGORIES_TABLE}
    SELECT (SELECT coalesce(max(id), 0) FROM ${CATEGORIES_TABLE}) + row_number() OVER (ORDER BY category_name), category_name
    FROM (SELECT DISTINCT category_name FROM ${sound} WHERE category_name IS NOT NULL AND raw_category_id IS NULL)
    WHERE category_name NOT IN (SELECT name FROM ${CATEGORIES_TABLE})`)
}

/** SELECT of the rows of `bronze.categories`: those of the file as they stand, then those made from the products. */
export function bronzeCategoriesSelect(): string {
  return `SELECT id, category_name FROM ${RAW_CATEGORIES_TABLE}
    UNION ALL SELECT CAST(id AS VARCHAR), name FROM ${CATEGORIES_TABLE}
    WHERE id NOT IN (SELECT try_cast(trim(id) AS INTEGER) FROM ${RAW_CATEGORIES_TABLE} WHERE ${IS_TAKEN})`
}

const IS_TAKEN = `try_cast(trim(id) AS INTEGER) IS NOT NULL AND ${displayName('category_name')} IS NOT NULL`

async function readRejections(connection: DuckDBConnection): Promise<Rejection[]> {
  const reader = await connection.runAndReadAll(`
    SELECT line_number::INTEGER, CASE WHEN NOT (${IS_TAKEN}) THEN ${quoted('id is no whole number, or the name is empty')}
        ELSE ${quoted('this id stood on an earlier line')} END,
      concat_ws(',', id, category_name)
    FROM (SELECT *, row_number() OVER (PARTITION BY trim(id) ORDER BY line_number) AS seen FROM ${RAW_CATEGORIES_TABLE})
    WHERE NOT (${IS_TAKEN}) OR seen > 1 ORDER BY 1`)
  return reader
    .getRows()
    .map(([line, detail, text]) => categoryRejection(Number(line), String(detail), String(text)))
}

function categoryRejection(line: number, detail: string, text: string): Rejection {
  return { line, reason: 'category_row_invalid', detail: `categories file: ${detail}`, text }
}
