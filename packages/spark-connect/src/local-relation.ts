import type { RecordBatch } from 'apache-arrow'
import { cacheBlobs } from './artifacts.ts'
import type { SparkConnectClient } from './client.ts'
import { batchOf, streamOf } from './local-data.ts'
import type { Relation } from './relation.ts'
import { type StructType, schemaOf } from './schema.ts'

/** What is smaller goes within the plan; Spark's own clients begin to keep relations at the server at this size. */
const INLINE_BYTES = 1024 * 1024
const ROWS_PER_CHUNK = 10_000

/**
 * A relation of rows, sent now when they are large (Spark 4.1 or newer), else each time with the plan. `schema` as SQL's
 * DDL is parsed by the server.
 */
export async function localRelation(
  client: SparkConnectClient,
  rows: readonly Readonly<Record<string, unknown>>[] | RecordBatch,
  options: { readonly schema: string | StructType | undefined; readonly signal: AbortSignal | undefined },
): Promise<Relation> {
  const { signal } = options
  const schema =
    typeof options.schema === 'string' ? await parseDdl(client, options.schema, signal) : options.schema
  const chunks = [...chunksOf(rows, schema)]
  const json = schema === undefined ? undefined : JSON.stringify(schema)
  if (chunks.length === 1 && chunks[0]!.length <= INLINE_BYTES) {
    const value = { data: chunks[0]!, ...(json === undefined ? {} : { schema: json }) }
    return { relType: { case: 'localRelation', value } }
  }
  const dataHashes = await cacheBlobs(client, chunks, signal)
  const schemaHash =
    json === undefined ? undefined : (await cacheBlobs(client, [Buffer.from(json)], signal))[0]
  const value = { dataHashes: [...dataHashes], ...(schemaHash === undefined ? {} : { schemaHash }) }
  return { relType: { case: 'chunkedCachedLocalRelation', value } }
}

function* chunksOf(
  rows: readonly Readonly<Record<string, unknown>>[] | RecordBatch,
  schema: StructType | undefined,
): Generator<Uint8Array> {
  const rowCount = 'numRows' in rows ? rows.numRows : rows.length
  for (let from = 0; from === 0 || from < rowCount; from += ROWS_PER_CHUNK) {
    const part = rows.slice(from, from + ROWS_PER_CHUNK)
    yield streamOf(Array.isArray(part) ? batchOf(part, schema!) : (part as RecordBatch))
  }
}

async function parseDdl(client: SparkConnectClient, ddlString: string, signal: AbortSignal | undefined) {
  const { parsed } = await client.analyze({ case: 'ddlParse', value: { ddlString } }, { signal })
  return schemaOf(parsed)
}
