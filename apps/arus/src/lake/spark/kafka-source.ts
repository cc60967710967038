import { readFileSync } from 'node:fs'
import type { KafkaSettings } from '../../config/kafka-settings.ts'
import type { SparkSettings } from '../../config/spark-settings.ts'

/** Offsets of partitions. */
export type Offsets = ReadonlyMap<number, number>

const EARLIEST = -2
const MODULES = {
  PLAIN: 'org.apache.kafka.common.security.plain.PlainLoginModule',
  'SCRAM-SHA-256': 'org.apache.kafka.common.security.scram.ScramLoginModule',
  'SCRAM-SHA-512': 'org.apache.kafka.common.security.scram.ScramLoginModule',
}

/**
 * Options of Spark's Kafka source that say how Kafka is reached. Only what was committed is read: the source would take in
 * entries of aborted transactions too. The login's password is among them.
 */
export function kafkaSource(
  kafka: KafkaSettings,
  { kafkaServers }: Pick<SparkSettings, 'kafkaServers'>,
): Record<string, string> {
  const { servers, security, mechanism, username, password, authorityFile } = kafka
  return {
    'kafka.bootstrap.servers': kafkaServers ?? servers.join(','),
    'kafka.isolation.level': 'read_committed',
    'kafka.security.protocol': security,
    ...(authorityFile === null
      ? {}
      : {
          // By its text: Spark's machines need not have the file.
          'kafka.ssl.truststore.type': 'PEM',
          'kafka.ssl.truststore.certificates': readFileSync(authorityFile, 'utf8'),
        }),
    ...(username === null || password === null
      ? {}
      : {
          'kafka.sasl.mechanism': mechanism,
          'kafka.sasl.jaas.config': `${MODULES[mechanism]} required username="${escaped(username)}" password="${escaped(password)}";`,
        }),
  }
}

/** As the source writes and reads them. A partition without an offset begins at its beginning. */
export function offsetsJson(topic: string, partitions: readonly number[], offsets: Offsets): string {
  const all = partitions.map((partition) => [partition, offsets.get(partition) ?? EARLIEST])
  return JSON.stringify({ [topic]: Object.fromEntries(all) })
}

export function parseOffsets(topic: string, json: string): Offsets {
  const parsed = JSON.parse(json) as Readonly<Record<string, Readonly<Record<string, number>>>>
  return new Map(
    Object.entries(parsed[topic] ?? {}).map(([partition, offset]) => [Number(partition), offset]),
  )
}

/** Within a quoted value of JAAS. */
function escaped(text: string): string {
  return text.replace(/["\\]/g, String.raw`\$&`)
}
