import type { DuckDBConnection } from '@duckdb/node-api'
import type { CsvSource } from './csv-source.ts'
import type { StagedCsv } from './staged-csv.ts'

/** Of the default of 32 MB each, fresh memory would be taken, at a tenth of what bronze costs. */
const CSV_BUFFER_BYTES = 1 << 23

/** `FROM` text that reads a staged CSV: columns `c0`, `c1`, … as they stand in the file, and `line_number`. */
export function stagedRelation(source: CsvSource, staged: StagedCsv): string {
  const names = source.columns.map((_, position) => `c${position}`)
  const columns = [...(staged.hasLineNumbers ? ['line_number'] : []), ...names]
  const types = columns.map((name) => `'${name}': 'VARCHAR'`).join(', ')
  const line = staged.hasLineNumbers ? 'CAST(line_number AS BIGINT)' : 'row_number() OVER () + 1'
  // A field over several lines may be cut by a reader that starts in the middle of the file.
  const parallel = staged.hasMultiLineRecords ? ', parallel=false' : ''
  return `(SELECT ${line} AS line_number, ${names.join(', ')} FROM read_csv(${quoted(staged.path)}, auto_detect=false,
    header=${staged.hasLineNumbers ? 'false' : 'true'}, delim=${quoted(source.shape.delimiter)}, quote='"', escape='"',
    strict_mode=false, null_padding=false, max_line_size=4194304, buffer_size=${CSV_BUFFER_BYTES}, columns={${types}}${parallel}))`
}

/** A text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** SQL of a name with runs of blanks made one, for display and for matching. */
export function displayName(sql: string): string {
  return `nullif(trim(regexp_replace(${sql}, '\\s+', ' ', 'g')), '')`
}

/** Temporary table of the import's connection: the rows that cannot be taken as they are. */
export const FAULTY_TABLE = 'import_faulty'

const TEXT_CHARACTERS_MAX = 500

/** SQL condition that a row stands on one of these lines; null stands for all. */
export function standsOn(lines: readonly number[] | null): string {
  if (lines === null) return 'true'
  return lines.length === 0 ? 'false' : `line_number IN (SELECT unnest([${lines.join(', ')}]))`
}

/** Makes `FAULTY_TABLE` of the products in bronze that have a fault; only those on `doubtfulLines` can. */
export function faultyTableSql(bronze: string, doubtfulLines: readonly number[] | null): string {
  // Chosen before they are typed: that is most of the work.
  const typed = typedProducts(`(FROM ${bronze} WHERE ${standsOn(doubtfulLines)})`)
  return `CREATE OR REPLACE TEMP TABLE ${FAULTY_TABLE} AS
    SELECT line_number, fault, fault_detail, left(concat_ws(',', product_id, title), ${TEXT_CHARACTERS_MAX}) AS text, product_id
    FROM (${typed}) WHERE fault IS NOT NULL`
}

/** `FROM` text of the typed products that have no fault. Needs `FAULTY_TABLE`. */
export function soundProducts(typed: string, faultyCount: number): string {
  // Almost always there are none, and a join with nothing is not free.
  const condition =
    faultyCount === 0 ? '' : ` WHERE line_number NOT IN (SELECT line_number FROM ${FAULTY_TABLE})`
  return `(FROM (${typed})${condition})`
}

const FIELD_BYTES_MAX = 16_000
const ID_BYTES_MAX = 200
/** The largest count kept: that of an unsigned 32-bit number. */
const COUNT_MAX = 4_294_967_295

/** Columns of bronze whose blanks at both ends are cut off; a text that is empty then is null. */
const TEXTS = ['asin', 'title', 'imgUrl', 'productURL'] as const

export type TextColumn = (typeof TEXTS)[number]

/** The texts that trimming changes in some row; only those on `doubtfulLines` can be. */
export async function textsToTrim(
  connection: DuckDBConnection,
  bronze: string,
  doubtfulLines: readonly number[] | null,
): Promise<readonly TextColumn[]> {
  if (doubtfulLines === null) return TEXTS
  if (doubtfulLines.length === 0) return []
  const changes = TEXTS.map((name) => `bool_or("${name}" IS DISTINCT FROM ${trimmed(name)})`)
  const reader = await connection.runAndReadAll(
    `SELECT ${changes.join(', ')} FROM ${bronze} WHERE ${standsOn(doubtfulLines)}`,
  )
  return TEXTS.filter((_, at) => reader.getRows()[0]?.[at] === true)
}

/**
 * SELECT of the products in bronze with typed columns, and in `fault` the first reason why a row cannot be taken (null
 * when it can), `fault_detail` saying which value. Prices of 0 are none. `toTrim` is of `textsToTrim`.
 */
export function typedProducts(bronze: string, toTrim: readonly TextColumn[] = TEXTS): string {
  // Trimming copies every text, half of what silver costs.
  const text = (name: TextColumn) => (toTrim.includes(name) ? trimmed(name) : `"${name}"`)
  return `SELECT line_number, product_id, title, image_url, product_url, stars,
      CAST(coalesce(reviews, 0) AS BIGINT) AS reviews, nullif(price, 0) AS price, nullif(list_price, 0) AS list_price,
      category_id, category_name, coalesce(is_best_seller, false) AS is_best_seller,
      CAST(coalesce(bought, 0) AS BIGINT) AS bought_in_last_month, raw_category_id,
      ${FAULT} AS fault, ${FAULT_DETAIL} AS fault_detail
    FROM (SELECT line_number, ${text('asin')} AS product_id, ${text('title')} AS title,
      ${text('imgUrl')} AS image_url, ${text('productURL')} AS product_url,
      ${number('stars')} AS stars, stars AS raw_stars, ${number('reviews')} AS reviews, reviews AS raw_reviews,
      ${number('price')} AS price, price AS raw_price, ${number('"listPrice"')} AS list_price, "listPrice" AS raw_list_price,
      ${number('"boughtInLastMonth"')} AS bought, "boughtInLastMonth" AS raw_bought,
      try_cast(nullif(trim(category_id), '') AS INTEGER) AS category_id, nullif(trim(category_id), '') AS raw_category_id,
      ${displayName('"categoryName"')} AS category_name,
      CASE lower(trim("isBestSeller")) WHEN 'true' THEN true WHEN 'false' THEN false WHEN '1' THEN true
        WHEN '0' THEN false WHEN 'yes' THEN true WHEN 'no' THEN false END AS is_best_seller,
      nullif(trim("isBestSeller"), '') AS raw_best_seller
    FROM ${bronze})`
}

/** Asking first is four times as fast as trimming every field: almost none begins or ends with a blank. */
function trimmed(name: TextColumn): string {
  const column = `"${name}"`
  return `nullif(CASE WHEN starts_with(${column}, ' ') OR ends_with(${column}, ' ') THEN trim(${column}) ELSE ${column} END, '')`
}

function number(column: string): string {
  return `try_cast(${column} AS DOUBLE)`
}

const NUMBERS = ['stars', 'reviews', 'price', 'list_price', 'bought'] as const
const COUNTS = ['reviews', 'bought'] as const

/** Conditions in the order they are tried: the first that holds names the row's fault. */
const FAULTS: readonly (readonly [reason: string, condition: string, detail: string])[] = [
  ['missing_asin', 'product_id IS NULL', `'asin is empty'`],
  ['missing_title', 'title IS NULL', `'title is empty'`],
  ['field_too_long', `strlen(product_id) > ${ID_BYTES_MAX}`, `'asin has more than ${ID_BYTES_MAX} bytes'`],
  ...['title', 'image_url', 'product_url'].map(
    (name) =>
      [
        'field_too_long',
        `strlen(${name}) > ${FIELD_BYTES_MAX}`,
        `'${name} has more than ${FIELD_BYTES_MAX} bytes'`,
      ] as const,
  ),
  ...NUMBERS.map(
    (name) =>
      [
        'not_a_number',
        `((${name} IS NULL OR NOT isfinite(${name})) AND raw_${name} IS NOT NULL AND trim(raw_${name}) <> '')`,
        detail(name, 'is not a number'),
      ] as const,
  ),
  ...NUMBERS.map((name) => ['negative_number', `${name} < 0`, detail(name, 'is negative')] as const),
  ['stars_out_of_range', 'stars > 5', detail('stars', 'is above 5')],
  ...COUNTS.map(
    (name) =>
      ['not_a_whole_number', `${name} <> floor(${name})`, detail(name, 'is not a whole number')] as const,
  ),
  ...COUNTS.map(
    (name) => ['number_out_of_range', `${name} > ${COUNT_MAX}`, detail(name, 'is too large')] as const,
  ),
  [
    'not_a_boolean',
    'raw_best_seller IS NOT NULL AND is_best_seller IS NULL',
    `'isBestSeller is not true or false: ' || left(raw_best_seller, 40)`,
  ],
]

const FAULT = `CASE ${FAULTS.map(([reason, condition]) => `WHEN ${condition} THEN '${reason}'`).join(' ')} END`
const FAULT_DETAIL = `CASE ${FAULTS.map(([, condition, text]) => `WHEN ${condition} THEN ${text}`).join(' ')} END`

function detail(name: string, problem: string): string {
  return `'${name} ${problem}: ' || left(raw_${name}, 40)`
}
