import type { DuckDBConnection } from '@duckdb/node-api'
import { CATEGORIES_TABLE } from './import-categories.ts'
import {
  EXAMPLES_PER_REASON,
  REJECTION_REASONS,
  type Rejection,
  type RejectionReason,
} from './import-report.ts'
import { CHECKED_TABLE } from './import-sql.ts'

const TABLE = 'import_rejections'
const TEXT_CHARACTERS_MAX = 500
const ROW_TEXT = `left(concat_ws(',', product_id, title), ${TEXT_CHARACTERS_MAX})`

/** Rows of one import that are reported, in a temporary table of the import's connection. */
export class ImportRejections {
  readonly #connection: DuckDBConnection
  readonly #dropsRows: boolean

  private constructor(connection: DuckDBConnection, dropsRows: boolean) {
    this.#connection = connection
    this.#dropsRows = dropsRows
  }

  /**
   * Finds faulty rows, later rows of an asin seen before, and categories nobody named. `typed` is of `typedProducts`; needs
   * `CHECKED_TABLE` and `CATEGORIES_TABLE`.
   */
  static async find(connection: DuckDBConnection, typed: string): Promise<ImportRejections> {
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${TABLE}
      (line BIGINT, reason VARCHAR, detail VARCHAR, text VARCHAR, product_id VARCHAR, is_product BOOLEAN)`)
    if (await isTrue(connection, `SELECT EXISTS (FROM ${CHECKED_TABLE} WHERE fault IS NOT NULL)`)) {
      await connection.run(`INSERT INTO ${TABLE} SELECT line_number, fault, fault_detail, ${ROW_TEXT}, product_id, true
        FROM (${typed}) WHERE line_number IN (SELECT line_number FROM ${CHECKED_TABLE} WHERE fault IS NOT NULL)`)
    }
    await connection.run(`INSERT INTO ${TABLE} ${DUPLICATES}`)
    await connection.run(`INSERT INTO ${TABLE} ${UNKNOWN_CATEGORIES}`)
    const drops = await isTrue(connection, `SELECT EXISTS (FROM ${TABLE} WHERE reason <> 'unknown_category')`)
    return new ImportRejections(connection, drops)
  }

  /** Adds lines that are no records, and rows of the categories file. */
  async add(broken: readonly Rejection[], ofCategories: readonly Rejection[]): Promise<void> {
    const appender = await this.#connection.createAppender(TABLE, null, 'temp')
    const append = ({ line, reason, detail, text }: Rejection, isProduct: boolean) => {
      appender.appendBigInt(BigInt(line))
      appender.appendVarchar(reason)
      appender.appendVarchar(detail)
      appender.appendVarchar(text.slice(0, TEXT_CHARACTERS_MAX))
      appender.appendNull()
      appender.appendBoolean(isProduct)
      appender.endRow()
    }
    for (const row of broken) append(row, true)
    for (const row of ofCategories) append(row, false)
    appender.closeSync()
  }

  /** SQL condition on a typed product: it is imported. Lines that are no records are not among the products at all. */
  isTakenSql(): string {
    if (!this.#dropsRows) return 'true'
    return `line_number NOT IN (SELECT line FROM ${TABLE} WHERE ${IS_DROPPED})`
  }

  /** Rows of the products file that are not imported. */
  async droppedProductCount(): Promise<number> {
    const reader = await this.#connection.runAndReadAll(
      `SELECT count(*)::INTEGER FROM ${TABLE} WHERE ${IS_DROPPED}`,
    )
    return Number(reader.getRows()[0]?.[0])
  }

  /** SELECT of the rows of `bronze.rejected_products`. */
  select(nowMs: number): string {
    return `SELECT line AS line_number, reason, detail, text AS raw, product_id AS asin,
      make_timestamp(${Math.round(nowMs) * 1000})::TIMESTAMPTZ AS rejected_at FROM ${TABLE} ORDER BY line`
  }

  async countByReason(): Promise<Partial<Record<RejectionReason, number>>> {
    const reader = await this.#connection.runAndReadAll(
      `SELECT reason, count(*)::INTEGER FROM ${TABLE} GROUP BY reason ORDER BY 2 DESC, 1`,
    )
    return Object.fromEntries(reader.getRows().map(([reason, count]) => [String(reason), Number(count)]))
  }

  /** The first few of each reason, by line. */
  async examples(): Promise<Rejection[]> {
    const reader =
      await this.#connection.runAndReadAll(`SELECT line::INTEGER, reason, detail, text FROM ${TABLE}
      QUALIFY row_number() OVER (PARTITION BY reason ORDER BY line) <= ${EXAMPLES_PER_REASON} ORDER BY line`)
    return reader.getRows().map(([line, reason, detail, text]) => ({
      line: Number(line),
      reason: reason as RejectionReason,
      detail: String(detail),
      text: String(text ?? ''),
    }))
  }
}

const REASONS_KEPT = Object.entries(REJECTION_REASONS).flatMap(([reason, fate]) =>
  fate === 'kept' ? [reason] : [],
)
const IS_DROPPED = `is_product AND reason NOT IN (${REASONS_KEPT.map((reason) => `'${reason}'`).join(', ')})`

/** The first row of an asin that can be taken is kept; later ones are reported. */
const DUPLICATES = `
  SELECT c.line_number, 'duplicate_asin', 'this asin stood on line ' || d.first_line, c.product_id, c.product_id, true
  FROM ${CHECKED_TABLE} c JOIN (
    SELECT product_id, min(line_number) AS first_line FROM ${CHECKED_TABLE} WHERE fault IS NULL
    GROUP BY product_id HAVING count(*) > 1
  ) d ON d.product_id = c.product_id AND c.line_number > d.first_line
  WHERE c.fault IS NULL`

const UNKNOWN_CATEGORIES = `
  SELECT line_number, 'unknown_category', 'category_id is not in the categories: ' || left(raw_category_id, 40),
    product_id, product_id, true
  FROM ${CHECKED_TABLE} WHERE fault IS NULL AND raw_category_id IS NOT NULL
    AND (category_id IS NULL OR category_id NOT IN (SELECT id FROM ${CATEGORIES_TABLE}))
    AND line_number NOT IN (SELECT line FROM ${TABLE})`

async function isTrue(connection: DuckDBConnection, sql: string): Promise<boolean> {
  return (await connection.runAndReadAll(sql)).getRows()[0]?.[0] === true
}
