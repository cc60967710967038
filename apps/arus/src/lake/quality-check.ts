import type { TableName } from './table-names.ts'

/** `error`: rows that break a contract. `warning`: rows that may be right but are worth a look. */
export type Severity = 'error' | 'warning'

/** What must hold of the rows of a table, as data. A check that fails is shown; it keeps no row out and stops nothing. */
export type QualityCheck = { readonly severity: Severity } & (
  | { readonly kind: 'not_null'; readonly column: string }
  /** Where it is not null, `column` is from `least` to `most`; null means no bound. */
  | {
      readonly kind: 'range'
      readonly column: string
      readonly least: number | null
      readonly most: number | null
    }
  /** Where it is not null, `column` is one of `values`. */
  | { readonly kind: 'one_of'; readonly column: string; readonly values: readonly string[] }
  /** No two rows agree in all these. */
  | { readonly kind: 'unique'; readonly columns: readonly string[] }
  /** Where it is not null, `column` is found in a column of another table. */
  | {
      readonly kind: 'reference'
      readonly column: string
      readonly to: TableName
      readonly toColumn: string
    }
  /** A condition over one row. */
  | { readonly kind: 'row'; readonly name: string; readonly condition: string }
)

/** One check a column: it is never null. */
export function notNull(...columns: readonly string[]): QualityCheck[] {
  return columns.map((column) => ({ kind: 'not_null', severity: 'error', column }))
}

/** No negative values, one check a column. */
export function notNegative(...columns: readonly string[]): QualityCheck[] {
  return columns.map((column) => inRange(column, 0, null))
}

export function inRange(
  column: string,
  least: number | null,
  most: number | null,
  severity: Severity = 'error',
): QualityCheck {
  return { kind: 'range', severity, column, least, most }
}

export function unique(...columns: readonly string[]): QualityCheck {
  return { kind: 'unique', severity: 'error', columns }
}

export function refersTo(
  column: string,
  to: TableName,
  toColumn: string,
  severity: Severity = 'warning',
): QualityCheck {
  return { kind: 'reference', severity, column, to, toColumn }
}

export function oneOf(column: string, values: readonly string[], severity: Severity = 'error'): QualityCheck {
  return { kind: 'one_of', severity, column, values }
}

export function eachRow(name: string, condition: string, severity: Severity = 'error'): QualityCheck {
  return { kind: 'row', severity, name, condition }
}

/** The name under which results of a check are found: `unique(event_id)`. */
export function checkName(check: QualityCheck): string {
  switch (check.kind) {
    case 'unique':
      return `unique(${check.columns.join(', ')})`
    case 'row':
      return check.name
    case 'reference':
      return `reference(${check.column} → ${check.to}.${check.toColumn})`
    case 'range':
      return `range(${check.column}, ${check.least ?? '…'} to ${check.most ?? '…'})`
    default:
      return `${check.kind}(${check.column})`
  }
}
