import * as arrow from 'apache-arrow'
import { encodeColumn } from './encode-column.ts'
import { SparkError } from './errors.ts'
import type { StructType } from './schema.ts'

/** Rows as an Arrow batch of a schema. Throws `SPARK_VALUE_INVALID`, `SPARK_TYPE_UNSUPPORTED`. */
export function batchOf(
  rows: readonly Readonly<Record<string, unknown>>[],
  schema: StructType,
): arrow.RecordBatch {
  const data = encodeColumn('', schema, rows) as arrow.Data<arrow.Struct>
  return new arrow.RecordBatch(new arrow.Schema(data.type.children), data)
}

/** Columns of one length, not copied, as an Arrow batch: `int`, `bigint`, `float`, `double` without nulls. */
export function batchOfColumns(
  columns: Readonly<Record<string, Int32Array | BigInt64Array | Float32Array | Float64Array>>,
): arrow.RecordBatch {
  const data = Object.entries(columns).map(
    ([name, values]) => [name, arrow.makeVector(values).data[0]!] as const,
  )
  return new arrow.RecordBatch(Object.fromEntries(data))
}

/** The bytes of a stream of Arrow with this one batch. */
export function streamOf(batch: arrow.RecordBatch): Uint8Array {
  return arrow.RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)
}

/**
 * The batches of a stream of Arrow. The bytes are copied: those of a gRPC message begin anywhere, and Arrow's columns of
 * 64-bit values must begin at a multiple of eight.
 */
export function batchesOf(stream: Uint8Array): arrow.RecordBatch[] {
  try {
    return [...arrow.RecordBatchReader.from(new Uint8Array(stream))]
  } catch (error) {
    throw new SparkError('SPARK_PROTOCOL', 'The server’s Arrow data cannot be read', { cause: error })
  }
}
