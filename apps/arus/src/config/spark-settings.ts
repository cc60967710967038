import type { SettingReader } from './setting-reader.ts'

/** The Spark that computes: the lake's derived tables, and models. */
export interface SparkSettings {
  /** A connection string as Spark's own clients take it; its token is a secret. */
  readonly remote: string
  /** Servers of Kafka as Spark's machines reach them; null: as Arus does. */
  readonly kafkaServers: string | null
  /** The lake as Spark's machines see it, without a slash at its end; null: as Arus does. */
  readonly lakeAddress: string | null
}

/** Null when none is named. */
export function readSparkSettings(reader: SettingReader): SparkSettings | null {
  const remote = reader.url('SPARK_REMOTE', ['sc:'], 'sc://host:15002/;token=…')
  if (remote === null) return null
  return {
    remote,
    kafkaServers: reader.text('SPARK_KAFKA_BOOTSTRAP_SERVERS', '') || null,
    lakeAddress: reader.text('SPARK_LAKE', '').replace(/\/$/, '') || null,
  }
}

/** The address without its parameters, which may hold a token. */
export function sparkAddress({ remote }: SparkSettings): string {
  return remote.split('/;', 1)[0] ?? ''
}
