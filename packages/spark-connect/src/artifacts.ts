import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SparkConnectClient } from './client.ts'
import { SparkError } from './errors.ts'
import type { AddArtifactsRequestSchema } from './protocol/spark/connect/base_pb.ts'

type Payload = NonNullable<MessageInitShape<typeof AddArtifactsRequestSchema>['payload']>

/** Bytes of a message; what Spark's own clients send. */
const CHUNK_BYTES = 32 * 1024

/**
 * Keeps blobs at the server for the session, under the SHA-256 of each, and returns these. What the server has already is
 * not sent again.
 */
export async function cacheBlobs(
  client: SparkConnectClient,
  blobs: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const hashes = blobs.map((blob) => createHash('sha256').update(blob).digest('hex'))
  const names = hashes.map((hash) => `cache/${hash}`)
  const { stub } = client
  const { statuses } = await client.call(
    (call) => stub.artifactStatus({ ...client.context, names: [...new Set(names)] }, call),
    { signal },
  )
  const missing = names.flatMap((name, index) =>
    statuses[name]?.exists || names.indexOf(name) !== index ? [] : [{ name, blob: blobs[index]! }],
  )
  if (missing.length === 0) return hashes
  const { artifacts } = await client.call((call) => stub.addArtifacts(requestsOf(client, missing), call), {
    signal,
  })
  const broken = artifacts.find((artifact) => !artifact.isCrcSuccessful)
  if (broken !== undefined)
    throw new SparkError('SPARK_PROTOCOL', `The server received other bytes than were sent as ${broken.name}`)
  return hashes
}

async function* requestsOf(
  client: SparkConnectClient,
  artifacts: readonly { name: string; blob: Uint8Array }[],
) {
  for (const { name, blob } of artifacts)
    for (const payload of payloadsOf(name, blob)) yield { ...client.context, payload }
}

function* payloadsOf(name: string, blob: Uint8Array): Generator<Payload> {
  const chunkCount = Math.max(1, Math.ceil(blob.length / CHUNK_BYTES))
  for (let index = 0; index < chunkCount; index++) {
    const data = blob.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    const chunk = { data, crc: BigInt(crc32(data)) }
    if (chunkCount === 1) yield { case: 'batch', value: { artifacts: [{ name, data: chunk }] } }
    else if (index > 0) yield { case: 'chunk', value: chunk }
    else {
      const value = {
        name,
        totalBytes: BigInt(blob.length),
        numChunks: BigInt(chunkCount),
        initialChunk: chunk,
      }
      yield { case: 'beginChunk', value }
    }
  }
}
