import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

interface StoredObject {
  readonly body: Buffer
  readonly etag: string
  readonly modified: Date
  readonly metadata: Readonly<Record<string, string>>
}

interface Call {
  readonly method: string
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** The one bucket it has, and the one key it knows. */
export interface S3ServerOptions {
  readonly bucket: string
  readonly accessKeyId: string
  /** What it makes of `If-None-Match: *` (default: keeps the object): some stores write all the same, some answer 501. */
  readonly conditionalWrites?: 'kept' | 'ignored' | 'not implemented'
}

const PAGE_KEYS = 1_000

/**
 * The part of S3 that tables need, in memory, for tests where no S3 server is at hand: objects with conditional writes,
 * listings in pages, uploads in parts. It knows one key by its id and looks at no signature. The same suites run on a real one (`*.engines.test.ts`).
 */
export class S3Server {
  readonly #bucket: string
  readonly #accessKeyId: string
  readonly #conditionalWrites: S3ServerOptions['conditionalWrites']
  readonly #objects = new Map<string, StoredObject>()
  readonly #uploads = new Map<string, Map<number, Buffer>>()
  readonly #server: Server

  private constructor({ bucket, accessKeyId, conditionalWrites = 'kept' }: S3ServerOptions) {
    this.#conditionalWrites = conditionalWrites
    this.#bucket = bucket
    this.#accessKeyId = accessKeyId
    this.#server = createServer((incoming, outgoing) => void this.#handle(incoming, outgoing))
  }

  static async start(options: S3ServerOptions): Promise<S3Server> {
    const server = new S3Server(options)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const [path = '', search = ''] = (incoming.url ?? '').split('?')
    const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(decodeURIComponent(path)) ?? []
    const body = await buffer(incoming).catch(() => null)
    if (body === null) return
    const { method = '', headers } = incoming
    const answer = this.#answer({ method, bucket, key, query: new URLSearchParams(search), headers, body })
    outgoing.writeHead(answer.status, answer.headers)
    outgoing.end(method === 'HEAD' ? undefined : answer.body)
  }

  #answer(call: Call): Answer {
    if (!call.headers.authorization?.includes(`Credential=${this.#accessKeyId}/`))
      return failure(403, 'InvalidAccessKeyId')
    if (call.bucket !== this.#bucket) return failure(404, 'NoSuchBucket')
    const isUpload = call.query.has('uploads') || call.query.has('uploadId')
    switch (`${call.method} ${isUpload ? 'upload' : call.key === '' ? 'bucket' : 'object'}`) {
      case 'GET bucket':
        return this.#list(call)
      case 'PUT object':
        return this.#put(call)
      case 'GET object':
      case 'HEAD object':
        return this.#get(call)
      case 'DELETE object':
        this.#objects.delete(call.key)
        return { status: 204 }
      case 'POST upload':
      case 'PUT upload':
      case 'DELETE upload':
        return this.#upload(call)
      default:
        return failure(405, 'MethodNotAllowed')
    }
  }

  #put({ key, headers, body }: Call): Answer {
    if (headers['if-none-match'] === '*') {
      if (this.#conditionalWrites === 'not implemented') return failure(501, 'NotImplemented')
      if (this.#conditionalWrites === 'kept' && this.#objects.has(key))
        return failure(412, 'PreconditionFailed')
    }
    const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
    const object = objectOf(body, Object.fromEntries(metadata.map(([name, value]) => [name, String(value)])))
    this.#objects.set(key, object)
    return { status: 200, headers: { etag: object.etag } }
  }

  #get({ key, headers }: Call): Answer {
    const object = this.#objects.get(key)
    if (object === undefined) return failure(404, 'NoSuchKey')
    if (headers['if-none-match'] === object.etag) return { status: 304 }
    return {
      status: 200,
      headers: {
        etag: object.etag,
        'content-length': String(object.body.length),
        'last-modified': object.modified.toUTCString(),
        ...object.metadata,
      },
      body: object.body,
    }
  }

  #list({ query }: Call): Answer {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const isDirect = (key: string) =>
      query.get('delimiter') !== '/' || !key.slice(prefix.length).includes('/')
    const keys = [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix) && isDirect(key) && compareBytes(key, after) > 0)
      .sort(compareBytes)
    const page = keys.slice(0, PAGE_KEYS)
    const isTruncated = keys.length > page.length
    const contents = page.map((key) => {
      const { body, modified } = this.#objects.get(key)!
      return `<Contents><Key>${escaped(key)}</Key><Size>${body.length}</Size><LastModified>${modified.toISOString()}</LastModified></Contents>`
    })
    const next = isTruncated ? `<NextContinuationToken>${escaped(page.at(-1)!)}</NextContinuationToken>` : ''
    return xml(
      200,
      `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    )
  }

  #upload({ method, key, query, body }: Call): Answer {
    const id = query.get('uploadId') ?? randomUUID()
    if (query.has('uploads')) {
      this.#uploads.set(id, new Map())
      return xml(
        200,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      )
    }
    const parts = this.#uploads.get(id)
    if (parts === undefined) return failure(404, 'NoSuchUpload')
    if (method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body)
      return { status: 200, headers: { etag: objectOf(body, {}).etag } }
    }
    this.#uploads.delete(id)
    if (method === 'DELETE') return { status: 204 }
    const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part)
    this.#objects.set(key, objectOf(Buffer.concat(inOrder), {}))
    return xml(
      200,
      `<CompleteMultipartUploadResult><Key>${escaped(key)}</Key></CompleteMultipartUploadResult>`,
    )
  }
}

function objectOf(body: Buffer, metadata: Readonly<Record<string, string>>): StoredObject {
  const etag = `"${createHash('md5').update(body).digest('hex')}"`
  return { body, etag, modified: new Date(), metadata }
}

function failure(status: number, code: string): Answer {
  return xml(status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

function xml(status: number, content: string): Answer {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${content}` }
}

function escaped(text: string): string {
  return text.replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
