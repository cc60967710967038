import type { RecordBatch } from 'apache-arrow'
import { decodeColumn, objectOf, type TimestampForm } from './decode-column.ts'
import { SparkError } from './errors.ts'

/** A row: the values of its columns by their names. */
export type Row = Record<string, unknown>

/** The rows of an Arrow batch as objects. Throws `SPARK_COLUMNS_AMBIGUOUS`, `SPARK_TYPE_UNSUPPORTED`, `SPARK_VALUE_INVALID`. */
export function* rowsOf(batch: RecordBatch, timestamps: TimestampForm = 'date'): Generator<Row> {
  const names = batch.schema.fields.map((field) => field.name)
  assertDistinct(names)
  const readers = batch.data.children.map((column) => decodeColumn(column, timestamps))
  for (let row = 0; row < batch.numRows; row++) yield objectOf(names, readers, row)
}

/** A column that another one of the same name would hide, or that an object cannot hold, must not be lost silently. */
function assertDistinct(names: readonly string[]): void {
  const twice = names.filter((name, index) => names.indexOf(name) !== index || name === '__proto__')
  if (twice.length === 0) return
  throw new SparkError(
    'SPARK_COLUMNS_AMBIGUOUS',
    `Rows cannot hold these columns: ${[...new Set(twice)].join(', ')}`,
  )
}
