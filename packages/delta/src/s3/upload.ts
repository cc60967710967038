import { createReadStream } from 'node:fs'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { concurrently } from '../concurrently.ts'
import { inputOf, type ObjectName, type S3Store, urlOf } from './s3-store.ts'

/** How a file is cut for its upload. S3 takes up to 10,000 parts, each but the last of at least 5 MiB. */
interface PartPlan {
  readonly partBytes: number
  readonly partsAtOnce: number
}

const PARTS_MAX = 10_000
const PART_PLAN: PartPlan = { partBytes: 32 * 1024 * 1024, partsAtOnce: 4 }

/**
 * Uploads a local file: in one request, or in parts when it is larger than two. The file is streamed, each attempt
 * anew. A part that fails in the end takes back the whole upload.
 */
export async function upload(
  store: S3Store,
  object: ObjectName,
  file: { readonly path: string; readonly sizeBytes: number },
  plan: PartPlan = PART_PLAN,
): Promise<void> {
  if (file.sizeBytes > 2 * plan.partBytes) return uploadInParts(store, object, file, plan)
  await store.attempt(`upload ${urlOf(object)}`, () =>
    withStream(file.path, { start: 0, end: file.sizeBytes }, (body) =>
      store.client.send(new PutObjectCommand({ ...inputOf(object), ...body })),
    ),
  )
}

async function uploadInParts(
  store: S3Store,
  object: ObjectName,
  file: { readonly path: string; readonly sizeBytes: number },
  plan: PartPlan,
): Promise<void> {
  const { UploadId } = await store.attempt(`begin to upload ${urlOf(object)}`, () =>
    store.client.send(new CreateMultipartUploadCommand(inputOf(object))),
  )
  const input = { ...inputOf(object), UploadId }
  try {
    const parts = await concurrently(rangesOf(file.sizeBytes, plan), plan.partsAtOnce, (range) =>
      store.attempt(`upload part ${range.number} of ${urlOf(object)}`, () =>
        withStream(file.path, range, async (body) => {
          const command = new UploadPartCommand({ ...input, ...body, PartNumber: range.number })
          return { PartNumber: range.number, ETag: (await store.client.send(command)).ETag }
        }),
      ),
    )
    const complete = new CompleteMultipartUploadCommand({ ...input, MultipartUpload: { Parts: parts } })
    await store.attempt(`complete ${urlOf(object)}`, () => store.client.send(complete))
  } catch (error) {
    // The answer to the completion may have been lost, and the next attempt then found no such upload.
    if ((await store.sizeBytesOf(object).catch(() => null)) === file.sizeBytes) return
    await store.client.send(new AbortMultipartUploadCommand(input)).catch(() => {})
    throw error
  }
}

interface Range {
  readonly number: number
  readonly start: number
  /** Of the first byte after it. */
  readonly end: number
}

function rangesOf(sizeBytes: number, { partBytes }: PartPlan): Range[] {
  const bytes = Math.max(partBytes, Math.ceil(sizeBytes / PARTS_MAX))
  return Array.from({ length: Math.ceil(sizeBytes / bytes) }, (_, i) => ({
    number: i + 1,
    start: i * bytes,
    end: Math.min(sizeBytes, (i + 1) * bytes),
  }))
}

/** A stream belongs to one attempt: one that failed may have been read in part. */
async function withStream<Result>(
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
  send: (body: {
    Body: ReturnType<typeof createReadStream> | string
    ContentLength: number
  }) => Promise<Result>,
): Promise<Result> {
  if (start === end) return send({ Body: '', ContentLength: 0 })
  const stream = createReadStream(path, { start, end: end - 1 })
  try {
    return await send({ Body: stream, ContentLength: end - start })
  } finally {
    stream.destroy()
  }
}
