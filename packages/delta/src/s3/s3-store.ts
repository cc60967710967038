import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { unknownOutcome } from '../storage-errors.ts'
import { proveConditionalWrites } from './conditional-writes.ts'
import { RETRY_POLICY, type RetryPolicy, retrying } from './retrying.ts'
import { isNoObject, isTransient, mayHaveHappened, s3Failure, statusOf } from './s3-errors.ts'

/** An object store that speaks S3, and how to talk to it. Nothing is read from the environment or from AWS's files. */
export interface S3StoreOptions {
  /** Its address; AWS's own of the region when there is none. */
  readonly endpoint?: string
  readonly region: string
  /** Keys, or a function that gives them. */
  readonly credentials: NonNullable<S3ClientConfig['credentials']>
  /** The bucket as the path's first part and not as a host name; most stores but AWS want that. */
  readonly forcePathStyle?: boolean
  readonly retries?: RetryPolicy
  /** A connection that is silent for this long is given up. */
  readonly silenceMsMax?: number
  readonly connectionsMax?: number
}

/** Where an object is. */
export interface ObjectName {
  readonly bucket: string
  readonly key: string
}

/** An object as a listing shows it. */
export interface ListedObject {
  readonly key: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/** Whose object has a name: this call's, another's, or nobody's. */
type Owner = 'this call' | 'another' | 'nobody'

/** Metadata by which a writer recognises the object it wrote when the answer was lost. */
const WRITER = 'arus-writer'
const SILENCE_MS_MAX = 20_000
const CONNECTIONS_MAX = 64
const REQUEST_MS_MAX = 600_000

/**
 * Objects of an S3 store: each request is tried again while that may help, errors are `DeltaError`s as the `Storage` port
 * states them. One can serve any number of tables.
 */
export class S3Store {
  readonly address: string
  readonly client: S3Client
  readonly #policy: RetryPolicy
  /** By bucket, since an address may stand for several stores. */
  readonly #proofs = new Map<string, Promise<void>>()

  constructor(options: S3StoreOptions) {
    this.address = options.endpoint ?? `https://s3.${options.region}.amazonaws.com`
    this.#policy = options.retries ?? RETRY_POLICY
    this.client = new S3Client(configurationOf(options, this.address))
  }

  close(): void {
    this.client.destroy()
  }

  async read(object: ObjectName): Promise<Uint8Array> {
    return this.attempt(`read ${urlOf(object)}`, async () => {
      const { Body, ContentLength } = await this.client.send(new GetObjectCommand(inputOf(object)))
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array()
      assertWhole(bytes.length, ContentLength, object)
      return bytes
    })
  }

  /** Writes an object into a local file that is not there yet, synced. Gives its ETag, or null when it still has `etag`. */
  async download(object: ObjectName, file: string, etag?: string): Promise<string | null> {
    return this.attempt(`download ${urlOf(object)}`, async () => {
      try {
        const input = { ...inputOf(object), ...(etag === undefined ? {} : { IfNoneMatch: etag }) }
        const { Body, ContentLength, ETag = '' } = await this.client.send(new GetObjectCommand(input))
        const target = createWriteStream(file, { flags: 'w', flush: true })
        await pipeline(Body instanceof Readable ? Body : Readable.from([]), target)
        assertWhole(target.bytesWritten, ContentLength, object)
        return ETag
      } catch (error) {
        if (statusOf(error) === 304) return null
        throw error
      }
    })
  }

  async put(object: ObjectName, bytes: Uint8Array): Promise<void> {
    // Named, so that nobody who would create the same bytes takes it for its own.
    const input = { ...inputOf(object), Body: bytes, Metadata: { [WRITER]: randomUUID() } }
    try {
      await this.#retrying(() => this.client.send(new PutObjectCommand(input)))
    } catch (error) {
      throw mayHaveHappened(error) ? unknownOutcome(error, urlOf(object)) : s3Failure(error, writing(object))
    }
  }

  /**
   * `If-None-Match: *`: 412 says that the object is there, and it may be this very call's, whose first answer was lost;
   * so its writer is looked up. 409 is a race that nobody has won yet.
   */
  async putIfAbsent(object: ObjectName, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const writer = randomUUID()
    let isOpen = false
    try {
      return await this.#retrying(async () => {
        const error = await this.#tryToCreate(object, bytes, writer)
        if (error === null) return 'created'
        if (statusOf(error) === 412) {
          const owner = await this.#ownerOf(object, writer, bytes)
          if (owner !== 'nobody') return owner === 'this call' ? 'created' : 'exists'
        }
        isOpen ||= mayHaveHappened(error)
        throw error
      })
    } catch (error) {
      return this.#resolve({ object, writer, bytes, isOpen, error })
    }
  }

  /** As the function of that name; once for each bucket, and again after it failed. */
  proveConditionalWrites(probe: ObjectName): Promise<void> {
    const known = this.#proofs.get(probe.bucket)
    if (known !== undefined) return known
    const proof = proveConditionalWrites(this, probe)
    this.#proofs.set(probe.bucket, proof)
    proof.catch(() => this.#proofs.delete(probe.bucket))
    return proof
  }

  /** Objects below a prefix, in order of their keys, from after `startAfter`; with `delimiter` none below a folder. */
  async list(
    bucket: string,
    prefix: string,
    { startAfter, delimiter }: { readonly startAfter?: string; readonly delimiter?: '/' } = {},
  ): Promise<ListedObject[]> {
    const objects: ListedObject[] = []
    let token: string | undefined
    do {
      const page = await this.attempt(`list s3://${bucket}/${prefix}`, () =>
        this.client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            Delimiter: delimiter,
            StartAfter: startAfter,
            ContinuationToken: token,
          }),
        ),
      )
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        objects.push({ key: Key, sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0 })
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (token !== undefined)
    return objects
  }

  async delete(object: ObjectName): Promise<void> {
    await this.attempt(`delete ${urlOf(object)}`, () =>
      this.client.send(new DeleteObjectCommand(inputOf(object))),
    )
  }

  /** Size of an object; null when there is none. */
  async sizeBytesOf(object: ObjectName): Promise<number | null> {
    try {
      const head = await this.#retrying(() => this.client.send(new HeadObjectCommand(inputOf(object))))
      return head.ContentLength ?? 0
    } catch (error) {
      if (isNoObject(error)) return null
      throw s3Failure(error, `look at ${urlOf(object)}`)
    }
  }

  /** Runs a request that may be repeated, again while that may help; states its failure as the port does. */
  async attempt<Result>(task: string, request: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#retrying(request)
    } catch (error) {
      throw s3Failure(error, task)
    }
  }

  #retrying<Result>(request: () => Promise<Result>): Promise<Result> {
    return retrying(request, {
      policy: this.#policy,
      isTransient: (error) => isTransient(error) || statusOf(error) === 412,
    })
  }

  /** The error, when there was one: what it means depends on what came before it. */
  async #tryToCreate(object: ObjectName, bytes: Uint8Array, writer: string): Promise<unknown> {
    const command = new PutObjectCommand({
      ...inputOf(object),
      Body: bytes,
      IfNoneMatch: '*',
      Metadata: { [WRITER]: writer },
    })
    return this.client.send(command).then(
      () => null,
      (error: unknown) => error,
    )
  }

  /** Stores that keep no metadata are asked for the bytes. */
  async #ownerOf(object: ObjectName, writer: string, bytes: Uint8Array): Promise<Owner> {
    try {
      const head = await this.#retrying(() => this.client.send(new HeadObjectCommand(inputOf(object))))
      const found = head.Metadata?.[WRITER]
      if (found !== undefined) return found === writer ? 'this call' : 'another'
      if (head.ContentLength !== bytes.length) return 'another'
      return Buffer.compare(await this.read(object), bytes) === 0 ? 'this call' : 'another'
    } catch (error) {
      if (isNoObject(error)) return 'nobody'
      throw unknownOutcome(error, urlOf(object))
    }
  }

  /** After the last attempt to create an object. `isOpen` when an attempt may have been, or may yet be, carried out. */
  async #resolve(state: {
    readonly object: ObjectName
    readonly writer: string
    readonly bytes: Uint8Array
    readonly isOpen: boolean
    readonly error: unknown
  }): Promise<'created' | 'exists'> {
    if (!state.isOpen) throw s3Failure(state.error, writing(state.object))
    const owner = await this.#ownerOf(state.object, state.writer, state.bytes)
    if (owner === 'nobody') throw unknownOutcome(state.error, urlOf(state.object))
    return owner === 'this call' ? 'created' : 'exists'
  }
}

/** `s3://bucket/key`, for messages. */
export function urlOf({ bucket, key }: ObjectName): string {
  return `s3://${bucket}/${key}`
}

export function inputOf({ bucket, key }: ObjectName): { Bucket: string; Key: string } {
  return { Bucket: bucket, Key: key }
}

function writing(object: ObjectName): string {
  return `write ${urlOf(object)}`
}

/** The client writes to the console when it has no logger; what it would say is in the errors. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** Everything the client would otherwise look up in the environment or in AWS's files is said. */
function configurationOf(options: S3StoreOptions, endpoint: string): S3ClientConfig {
  const { silenceMsMax = SILENCE_MS_MAX, connectionsMax = CONNECTIONS_MAX } = options
  const agent = { keepAlive: true, maxSockets: connectionsMax }
  return {
    region: options.region,
    credentials: options.credentials,
    forcePathStyle: options.forcePathStyle ?? false,
    endpoint,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableMultiregionAccessPoints: true,
    disableS3ExpressSessionAuth: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    defaultsMode: 'standard',
    retryMode: 'standard',
    maxAttempts: 1,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: silenceMsMax,
      socketTimeout: silenceMsMax,
      requestTimeout: REQUEST_MS_MAX,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  }
}

/** An answer that broke off can look complete. */
function assertWhole(found: number, expected: number | undefined, object: ObjectName): void {
  if (expected === undefined || found === expected) return
  throw Object.assign(new Error(`${urlOf(object)} has ${expected} bytes, but ${found} came`), {
    name: 'IncompleteBody',
  })
}
