import type { QualityCheck } from './quality-check.ts'
import type { TableDefinition } from './table-definition.ts'

/** FROM texts of the rows to check and, for a reference, of the table referred to. */
export interface CheckedRows {
  readonly rows: string
  readonly other: string
}

/** SELECT of rows that fail a check: `n`, how many there are, and `sample`, a key to find one by. */
export function failingRowsSql(
  definition: TableDefinition,
  check: QualityCheck,
  { rows, other }: CheckedRows,
): string {
  if (check.kind === 'unique') return repeatedSql(check.columns, rows)
  const key = sampleOf(keyColumns(definition))
  if (check.kind === 'reference') {
    const { column, toColumn } = check
    return `SELECT count(*) AS n, ${sampleOf([column])} AS sample FROM ${rows} a
      ANTI JOIN (SELECT ${toColumn} AS referred FROM ${other}) b ON a.${column}::VARCHAR = b.referred::VARCHAR
      WHERE ${column} IS NOT NULL GROUP BY ${column}`
  }
  return `SELECT 1 AS n, ${key} AS sample FROM ${rows} WHERE ${violationOf(check)}`
}

type RowCheck = Exclude<QualityCheck, { kind: 'unique' | 'reference' }>

function violationOf(check: RowCheck): string {
  switch (check.kind) {
    case 'not_null':
      return `"${check.column}" IS NULL`
    case 'one_of':
      return `"${check.column}" NOT IN (${check.values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')})`
    case 'range': {
      const below = check.least === null ? 'false' : `"${check.column}" < ${check.least}`
      const above = check.most === null ? 'false' : `"${check.column}" > ${check.most}`
      return `coalesce(${below} OR ${above} OR isnan("${check.column}"::DOUBLE), false)`
    }
    case 'row':
      return `NOT coalesce(${check.condition}, true)`
  }
}

/** Each row of a group beyond its first fails. Rows with a null in the key are for other checks. */
function repeatedSql(columns: readonly string[], rows: string): string {
  const list = columns.join(', ')
  const isWhole = columns.map((column) => `${column} IS NOT NULL`).join(' AND ')
  return `SELECT count(*) - 1 AS n, ${sampleOf(columns)} AS sample FROM ${rows} WHERE ${isWhole}
    GROUP BY ${list} HAVING count(*) > 1`
}

/** What names a row of the table: its first unique key, else its first columns. */
function keyColumns({ checks, columns }: TableDefinition): readonly string[] {
  const key = checks.find((check) => check.kind === 'unique')
  return key?.kind === 'unique' ? key.columns : columns.slice(0, 3).map(({ name }) => name)
}

function sampleOf(columns: readonly string[]): string {
  return `to_json(struct_pack(${columns.map((column) => `"${column}" := "${column}"`).join(', ')}))::VARCHAR`
}
