import type { RecordBatch } from 'apache-arrow'
import type { SparkConnectClient } from './client.ts'
import { SparkError } from './errors.ts'
import { type ExecuteOptions, execute, type Plan } from './execute.ts'
import { batchesOf } from './local-data.ts'
import type { ExecutePlanResponse_ArrowBatch as ArrowBatch } from './protocol/spark/connect/base_pb.ts'

/** Runs a query and yields its batches. Throws `SPARK_PROTOCOL` when one is missing or has another number of rows than said. */
export async function* readBatches(
  client: SparkConnectClient,
  plan: Plan,
  options: ExecuteOptions,
): AsyncGenerator<RecordBatch> {
  const chunks: Uint8Array[] = []
  let rowCount = 0
  for await (const { responseType } of execute(client, plan, options)) {
    if (responseType.case !== 'arrowBatch') continue
    const part = responseType.value
    assertNext(part, chunks.length, rowCount)
    chunks.push(part.data)
    if (part.numChunksInBatch && chunks.length < Number(part.numChunksInBatch)) continue
    const batches = batchesOf(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    chunks.length = 0
    const read = batches.reduce((sum, batch) => sum + batch.numRows, 0)
    if (read !== Number(part.rowCount))
      throw new SparkError('SPARK_PROTOCOL', `A batch said to have ${part.rowCount} rows has ${read}`)
    rowCount += read
    yield* batches
  }
  if (chunks.length > 0) throw new SparkError('SPARK_PROTOCOL', 'The answer ended within a batch')
}

function assertNext({ startOffset, chunkIndex }: ArrowBatch, chunkCount: number, rowCount: number): void {
  if (Number(chunkIndex ?? 0) !== chunkCount)
    throw new SparkError(
      'SPARK_PROTOCOL',
      `Part ${chunkIndex} of a batch came where part ${chunkCount} belongs`,
    )
  if (startOffset !== undefined && Number(startOffset) !== rowCount)
    throw new SparkError('SPARK_PROTOCOL', `Row ${startOffset} came where row ${rowCount} belongs`)
}
