import { existsSync } from 'node:fs'
import type { SettingReader } from './setting-reader.ts'

/** How the event log's Kafka is reached. */
export interface KafkaSettings {
  /** `host:port` of some brokers. */
  readonly servers: readonly string[]
  /** Names the events topic; null: by the shop. */
  readonly topic: string | null
  readonly security: (typeof PROTOCOLS)[number]
  readonly mechanism: (typeof MECHANISMS)[number]
  readonly username: string | null
  /** A secret. */
  readonly password: string | null
  /** File of authorities whose certificates are believed, PEM; null: those that Node knows. */
  readonly authorityFile: string | null
  /** Copies of the topics that Arus makes; null: as the brokers are set. */
  readonly replicationFactor: number | null
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const LOGIN = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const
const OTHERS = [
  'KAFKA_TOPIC',
  'KAFKA_SECURITY_PROTOCOL',
  ...LOGIN,
  'KAFKA_SSL_CA',
  'KAFKA_REPLICATION_FACTOR',
] as const
const SERVER = /^(\[[0-9a-fA-F:.]+\]|[^\s,:/[\]]+)(:\d{1,5})?$/
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/

/** The variables `KAFKA_…`, under Kafka's own names for them where it has some; null when no server is named. */
export function readKafkaSettings(reader: SettingReader): KafkaSettings | null {
  const servers = reader
    .text('KAFKA_BOOTSTRAP_SERVERS', '')
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '')
  const wrong = servers.find((server) => !SERVER.test(server))
  if (wrong !== undefined)
    reader.refuse('KAFKA_BOOTSTRAP_SERVERS', `"${wrong}" is no server: give host:port, comma-separated`)
  if (servers.length === 0) {
    for (const name of OTHERS)
      reader.refuse(name, 'KAFKA_BOOTSTRAP_SERVERS is not: name the servers, or unset it')
    return null
  }
  const topic = reader.text('KAFKA_TOPIC', '') || null
  if (topic !== null && !TOPIC.test(topic))
    reader.refuse('KAFKA_TOPIC', `a topic is 1 to 249 of A-Z a-z 0-9 . _ -, found "${topic}"`)
  const security = reader.oneOf('KAFKA_SECURITY_PROTOCOL', 'PLAINTEXT', PROTOCOLS)
  const username = reader.text('KAFKA_SASL_USERNAME', '') || null
  const password = reader.text('KAFKA_SASL_PASSWORD', '') || null
  const authorityFile = reader.text('KAFKA_SSL_CA', '') || null
  if (!security.startsWith('SASL')) {
    for (const name of LOGIN) reader.refuse(name, `KAFKA_SECURITY_PROTOCOL is ${security}, without a login`)
  } else if (username === null || password === null) {
    const reason = `${security} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD too`
    reader.refuse('KAFKA_SECURITY_PROTOCOL', reason)
  }
  if (!security.endsWith('SSL'))
    reader.refuse('KAFKA_SSL_CA', `KAFKA_SECURITY_PROTOCOL is ${security}, without TLS`)
  else if (authorityFile !== null && !existsSync(authorityFile))
    reader.refuse('KAFKA_SSL_CA', `there is no file ${authorityFile}`)
  return {
    servers,
    topic,
    security,
    mechanism: reader.oneOf('KAFKA_SASL_MECHANISM', 'PLAIN', MECHANISMS),
    username,
    password,
    authorityFile,
    replicationFactor: reader.integer('KAFKA_REPLICATION_FACTOR', 0, 0, 100) || null,
  }
}
