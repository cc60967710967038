import type { LogEntry } from '@arus/event-log'
import type { DuckDBConnection } from '@duckdb/node-api'
import {
  type BronzeMapping,
  type Decoded,
  EVENTS,
  RECOMMENDATIONS,
  REJECTED_EVENTS,
} from './bronze-columns.ts'
import { stageRows } from './staged-rows.ts'
import type { TableName } from './table-names.ts'

/** The topics of the log that go into the lake. */
export interface LakeTopics {
  readonly events: string
  readonly rejected: string
  readonly recommendations: string
}

/** Where a topic goes. */
export interface Route {
  readonly topic: string
  readonly table: TableName
  readonly mapping: BronzeMapping
}

/** Entries of a topic, told apart: rows of its table, and rows of `bronze.rejected_events`. */
export interface SortedEntries {
  readonly decoded: Decoded[]
  readonly broken: Decoded[]
}

/** How broken entries become rows. */
export const BROKEN: BronzeMapping = REJECTED_EVENTS

export function routesOf({ events, rejected, recommendations }: LakeTopics): readonly Route[] {
  return [
    { topic: events, table: 'bronze.events', mapping: EVENTS },
    { topic: rejected, table: 'bronze.rejected_events', mapping: REJECTED_EVENTS },
    { topic: recommendations, table: 'bronze.recommendations', mapping: RECOMMENDATIONS },
  ]
}

/** Decodes an entry and adds it to its kind. */
export function sortEntry(
  { topic, mapping }: Route,
  partition: number,
  { value, offset, timestampMs }: LogEntry,
  into: SortedEntries,
): void {
  const raw = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
  const place = { topic, partition, offset, timestampMs }
  const read = mapping.read(raw, place)
  if (read.kind === 'row') into.decoded.push({ body: read.body, raw, ...place })
  else into.broken.push({ body: { raw, ...read.refusal }, raw, ...place })
}

/** SELECT of rows of a bronze table, from a temporary table that it makes on the connection. */
export async function stageDecoded(
  connection: DuckDBConnection,
  { layout, select }: BronzeMapping,
  rows: readonly Decoded[],
): Promise<string> {
  const columns = layout.map(([, , value]) => rows.map(value))
  const types = layout.map(([name, type]) => [name, type] as const)
  await stageRows(connection, 'staged', types, columns)
  return select('staged')
}
