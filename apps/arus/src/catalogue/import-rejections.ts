import type { DuckDBConnection } from '@duckdb/node-api'
import { CATEGORIES_TABLE } from './import-categories.ts'
import {
  EXAMPLES_PER_REASON,
  REJECTION_REASONS,
  type Rejection,
  type RejectionReason,
} from './import-report.ts'
import { FAULTY_TABLE, standsOn } from './import-sql.ts'

const TABLE = 'import_rejections'
const TEXT_CHARACTERS_MAX = 500

/** Rows of one import that are reported, in a temporary table of the import's connection. */
export class ImportRejections {
  readonly #connection: DuckDBConnection
  readonly #dropsRows: boolean

  private constructor(connection: DuckDBConnection, dropsRows: boolean) {
    this.#connection = connection
    this.#dropsRows = dropsRows
  }

  /**
   * Finds later rows of an asin seen before, and categories nobody named, and adds the faulty rows. `sound` is of
   * `soundProducts`; asins that came before stand on `doubtfulLines`. Needs `FAULTY_TABLE` and `CATEGORIES_TABLE`.
   */
  static async find(
    connection: DuckDBConnection,
    sound: string,
    doubtfulLines: readonly number[] | null,
  ): Promise<ImportRejections> {
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${TABLE} AS
      SELECT line_number::BIGINT AS line, fault AS reason, fault_detail AS detail, text, product_id, true AS is_product
      FROM ${FAULTY_TABLE}`)
    await connection.run(repeatedSql(sound, doubtfulLines))
    if (await isTrue(connection, `SELECT EXISTS (FROM ${REPEATED_TABLE})`)) {
      await connection.run(`INSERT INTO ${TABLE} ${duplicates(sound)}`)
    }
    if (await isTrue(connection, hasUnknownCategories(sound))) {
      await connection.run(`INSERT INTO ${TABLE} ${unknownCategories(sound)}`)
    }
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

const REPEATED_TABLE = 'import_repeated'

/** Hashes of asins that may occur more than once: grouping numbers takes a third of grouping texts. */
function repeatedSql(sound: string, doubtfulLines: readonly number[] | null): string {
  const condition = doubtfulLines === null ? 'HAVING count(*) > 1' : ''
  return `CREATE OR REPLACE TEMP TABLE ${REPEATED_TABLE} AS
    SELECT hash(product_id) AS asin_hash FROM ${sound} WHERE ${standsOn(doubtfulLines)} GROUP BY 1 ${condition}`
}

/** The first row of an asin that can be taken is kept; later ones are reported. */
function duplicates(sound: string): string {
  return `WITH repeated AS (
      SELECT line_number, product_id FROM ${sound} WHERE hash(product_id) IN (FROM ${REPEATED_TABLE})
    ), numbered AS (
      SELECT *, min(line_number) OVER (PARTITION BY product_id) AS first_line FROM repeated
    )
    SELECT line_number, 'duplicate_asin', 'this asin stood on line ' || first_line, product_id, product_id, true
    FROM numbered WHERE line_number > first_line`
}

const IS_UNKNOWN = `raw_category_id IS NOT NULL
  AND (category_id IS NULL OR category_id NOT IN (SELECT id FROM ${CATEGORIES_TABLE}))`

/** Asked of the different ids only: they are found in the dictionaries of the files, a tenth of looking at every row. */
function hasUnknownCategories(sound: string): string {
  return `SELECT EXISTS (FROM (SELECT raw_category_id, try_cast(raw_category_id AS INTEGER) AS category_id
      FROM (SELECT DISTINCT raw_category_id FROM ${sound})) WHERE ${IS_UNKNOWN})`
}

function unknownCategories(sound: string): string {
  return `SELECT line_number, 'unknown_category', 'category_id is not in the categories: ' || left(raw_category_id, 40),
      product_id, product_id, true
    FROM ${sound} WHERE ${IS_UNKNOWN} AND line_number NOT IN (SELECT line FROM ${TABLE})`
}

async function isTrue(connection: DuckDBConnection, sql: string): Promise<boolean> {
  return (await connection.runAndReadAll(sql)).getRows()[0]?.[0] === true
}
