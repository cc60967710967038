import type { DuckDBConnection } from '@duckdb/node-api'
import { PRODUCT_COLUMNS } from '../product-columns.ts'
import type { LoadedFile } from './loaded-file.ts'
import type { CategoryLink, ColumnFacts, DuplicateFacts, FileFacts, FiveV } from './report.ts'
import { asRows, sqlName } from './rows.ts'

interface Known {
  readonly file: FileFacts
  readonly columns: readonly ColumnFacts[]
  readonly duplicates: DuplicateFacts
  readonly link: CategoryLink | null
}

/** The five Vs of big data, each as figures of this file. */
export async function fiveVs(
  connection: DuckDBConnection,
  loaded: LoadedFile,
  { file, columns, duplicates, link }: Known,
): Promise<FiveV[]> {
  const facts = (aliases: readonly string[]) =>
    columns.find((column) => aliases.includes(column.name.toLowerCase()))
  const bought = facts(PRODUCT_COLUMNS.boughtInLastMonth)
  const price = facts(PRODUCT_COLUMNS.price)
  const reviews = facts(PRODUCT_COLUMNS.reviews)
  const category = facts(PRODUCT_COLUMNS.category_id) ?? facts(PRODUCT_COLUMNS.categoryName)
  const cells = file.rows * file.columns
  const missing = columns.reduce((sum, column) => sum + column.missing, 0)
  const isPriced = bought?.statistics != null && price?.statistics != null
  const revenue = isPriced ? await monthlyRevenue(connection, loaded, price.name, bought.name) : null
  const figure = (what: string, value: number | null | undefined, unit: string) =>
    value === null || value === undefined ? [] : [{ what, value, unit }]
  return [
    {
      name: 'volume',
      figures: [
        ...figure('rows', file.rows, 'rows'),
        ...figure('columns', file.columns, 'columns'),
        ...figure('file', file.size_bytes, 'bytes'),
      ],
    },
    {
      name: 'velocity',
      figures: [
        ...figure('purchases of the last month', bought?.statistics?.sum, 'purchases'),
        ...figure(
          'purchases a day',
          bought?.statistics == null ? null : bought.statistics.sum / 30,
          'purchases',
        ),
        ...figure('ratings gathered so far', reviews?.statistics?.sum, 'ratings'),
      ],
    },
    {
      name: 'variety',
      figures: [
        ...figure('kinds of values', new Set(columns.map((column) => column.type)).size, 'types'),
        ...figure('categories in use', category?.distinct, 'categories'),
        ...figure(
          'distinct values',
          columns.reduce((sum, column) => sum + column.distinct, 0),
          'values',
        ),
      ],
    },
    {
      name: 'veracity',
      figures: [
        ...figure('values missing', missing / cells, 'of all'),
        ...figure('unreadable rows', file.unreadable_rows, 'rows'),
        ...figure('repeated rows', duplicates.rows, 'rows'),
        ...figure('repeated asin', duplicates.asin, 'rows'),
        ...figure('products of unknown category', link?.unmatched_products, 'products'),
        ...figure(
          'products without a price',
          price?.statistics == null ? null : price.statistics.zeros + price.missing,
          'products',
        ),
      ],
    },
    {
      name: 'value',
      figures: [
        ...figure('price × purchases of the last month', revenue, 'currency'),
        ...figure('mean price', price?.statistics?.mean, 'currency'),
        ...figure('best sellers', trueCount(facts(PRODUCT_COLUMNS.isBestSeller)), 'products'),
      ],
    },
  ]
}

async function monthlyRevenue(
  connection: DuckDBConnection,
  { relation }: LoadedFile,
  price: string,
  bought: string,
): Promise<number> {
  const [row] = await asRows(
    connection,
    `SELECT sum(CAST(${sqlName(price)} AS DOUBLE) * CAST(${sqlName(bought)} AS DOUBLE)) AS revenue FROM ${relation}`,
  )
  return Number(row?.revenue)
}

function trueCount(column: ColumnFacts | undefined): number | null {
  return column === undefined
    ? null
    : column.top
        .filter(({ value }) => value.toLowerCase() === 'true')
        .reduce((sum, { count }) => sum + count, 0)
}
