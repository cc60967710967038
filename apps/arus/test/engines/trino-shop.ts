import { randomUUID } from 'node:crypto'
import { S3Store } from '@arus/delta/s3'
import { newShop, type Shop } from '../forget/shop.ts'
import { TcpGate } from './tcp-gate.ts'

const { S3_ENDPOINT = '', S3_BUCKET = 'arus', AWS_REGION = 'us-east-1', TRINO_URL = '' } = process.env
const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', TRINO_CATALOG = 'delta' } = process.env
const ON_S3 = { S3_ENDPOINT, S3_BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }

/** A shop of its own whose lake is in the bucket and whose questions go to Trino, by way of a gate that can be shut. */
export class TrinoShop {
  readonly gate: TcpGate
  readonly shop: Shop
  readonly #name: string

  private constructor(gate: TcpGate, name: string) {
    this.gate = gate
    this.#name = name
    const trino = { TRINO_URL: `http://127.0.0.1:${gate.port}`, TRINO_CATALOG }
    this.shop = newShop({ ARUS_SHOP: name, ...ON_S3, ...trino })
  }

  static async open(): Promise<TrinoShop> {
    const { hostname, port } = new URL(TRINO_URL)
    return new TrinoShop(
      await TcpGate.before({ hostname, port: Number(port) }),
      `t${randomUUID().slice(0, 8)}`,
    )
  }

  async destroy(): Promise<void> {
    await this.gate[Symbol.asyncDispose]()
    this.shop.destroy()
    const store = new S3Store({
      endpoint: S3_ENDPOINT,
      region: AWS_REGION,
      credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
      forcePathStyle: true,
    })
    for (const { key } of await store.list(S3_BUCKET, `${this.#name}/`))
      await store.delete({ bucket: S3_BUCKET, key })
    store.close()
  }
}
