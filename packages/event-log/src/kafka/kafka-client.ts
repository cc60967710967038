import { Admin, type BaseOptions } from '@platformatic/kafka'

/** How to reach a Kafka. */
export interface KafkaConnection {
  /** Some of its brokers, `host:port`; the others are learnt from them. */
  readonly servers: readonly string[]
  /** TLS where given; `ca` is PEM text, and without it the authorities that Node knows are believed. */
  readonly tls?: { readonly ca?: string }
  readonly sasl?: KafkaLogin
  /** Shows in Kafka's logs and quotas. Default `arus`. */
  readonly clientId?: string
}

export interface KafkaLogin {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly username: string
  /** A secret. */
  readonly password: string
}

const CONNECT_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 10_000
const METADATA_AGE_MS_MAX = 60_000
const RETRIES = 5
const RETRY_FIRST_MS = 100
const RETRY_MS_MAX = 1_000

/** What every client of a log is opened with. It gives up within seconds: whoever waits is told, and may try again. */
export function clientOptions({ servers, tls, sasl, clientId = 'arus' }: KafkaConnection): BaseOptions {
  return {
    clientId,
    bootstrapBrokers: [...servers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    metadataMaxAge: METADATA_AGE_MS_MAX,
    retries: RETRIES,
    retryDelay: (_client, _operation, attempt) => retryMs(attempt),
    autocreateTopics: false,
    // A name in the certificate is asked for by SNI; an address may not be.
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  }
}

/** A client for what is no sending: metadata, offsets, groups, fetching. */
export function openClient(connection: KafkaConnection, options: Partial<BaseOptions> = {}): Admin {
  return new Admin({ ...clientOptions(connection), ...options })
}

/** Wait before the so-many-th try in a row, from 1. */
export function retryMs(attempt: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 10))
}
