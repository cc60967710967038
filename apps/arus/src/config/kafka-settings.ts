import { existsSync } from 'node:fs'

/** How the event log's Kafka is reached; without servers the log is embedded. */
export interface KafkaSettings {
  /** `host:port` of some brokers; null: the log is embedded. */
  readonly kafkaServers: readonly string[] | null
  /** Names the events topic; null: by the shop. */
  readonly kafkaTopic: string | null
  readonly kafkaSecurity: (typeof PROTOCOLS)[number]
  readonly kafkaMechanism: (typeof MECHANISMS)[number]
  readonly kafkaUsername: string | null
  /** A secret. */
  readonly kafkaPassword: string | null
  /** File of authorities whose certificates are believed, PEM; null: those that Node knows. */
  readonly kafkaAuthorityFile: string | null
  /** Copies of the topics that Arus makes; null: as the brokers are set. */
  readonly kafkaReplicationFactor: number | null
}

/** What reads variables one by one. */
export interface SettingReader {
  text(name: string, fallback: string): string
  integer(name: string, fallback: number, least: number, most: number): number
  oneOf<T extends string>(name: string, fallback: T, allowed: readonly T[]): T
  refuse(name: string, reason: string): void
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

/** The variables `KAFKA_…`, under Kafka's own names for them where it has some. */
export function readKafkaSettings(reader: SettingReader): KafkaSettings {
  const servers = reader
    .text('KAFKA_BOOTSTRAP_SERVERS', '')
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '')
  const wrong = servers.find((server) => !SERVER.test(server))
  if (wrong !== undefined)
    reader.refuse('KAFKA_BOOTSTRAP_SERVERS', `"${wrong}" is no server: give host:port, comma-separated`)
  if (servers.length === 0)
    for (const name of OTHERS)
      reader.refuse(name, 'KAFKA_BOOTSTRAP_SERVERS is not: name the servers, or unset it')
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
    kafkaServers: servers.length === 0 ? null : servers,
    kafkaTopic: topic,
    kafkaSecurity: security,
    kafkaMechanism: reader.oneOf('KAFKA_SASL_MECHANISM', 'PLAIN', MECHANISMS),
    kafkaUsername: username,
    kafkaPassword: password,
    kafkaAuthorityFile: authorityFile,
    kafkaReplicationFactor: reader.integer('KAFKA_REPLICATION_FACTOR', 0, 0, 100) || null,
  }
}
