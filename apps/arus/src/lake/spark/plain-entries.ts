import type { DataFrame } from '@arus/spark-connect'
import type { TableName } from '../table-names.ts'
import { definitionOf } from '../tables/index.ts'
import { EVENT_SCHEMA, EVENT_TEXT, PROPERTIES_KEY } from './event-text.ts'

/**
 * Plain entries are those that Spark decodes by itself: what Arus wrote, in the shape that Arus gives it. Whatever differs from
 * that in any way is left to `readLoggedEvent` and its like, so that there is one place where foreign and broken entries are
 * judged.
 */
export interface PlainEntries {
  /** Rows of the table, of the plain ones among entries with the columns of Kafka's source. */
  rows(entries: DataFrame): DataFrame
  /** The entries that are not plain. */
  others(entries: DataFrame): DataFrame
}

/** `mark` is put behind an entry to see that it ends there: a text that nobody who writes entries knows. */
export function plainEntries(table: TableName, mark: string): PlainEntries {
  const shape = SHAPES[table]?.(mark)
  if (shape === undefined) throw new TypeError(`${table} is not written from the log`)
  const names = definitionOf(table).columns.map(({ name }) => name)
  const columns = names.map((name) => `${shape.columns[name]} AS ${name}`)
  const prepared = (entries: DataFrame) =>
    entries.selectExpr('*', `${RAW} AS raw`).selectExpr('*', ...shape.prepared)
  return {
    rows: (entries) => {
      const plain = prepared(entries).filter(shape.isPlain)
      return plain.selectExpr('*', ...shape.decoded).selectExpr(...columns)
    },
    others: (entries) => prepared(entries).filter(`NOT coalesce(${shape.isPlain}, false)`),
  }
}

interface Shape {
  /** Columns that `isPlain` looks at, beside Kafka's and `raw`. */
  readonly prepared: readonly string[]
  readonly isPlain: string
  /** Columns of plain entries that the table's are made of. */
  readonly decoded: readonly string[]
  /** SQL of each of the table's columns. */
  readonly columns: Readonly<Record<string, string>>
}

const RAW = 'CAST(value AS STRING)'
const PLACE = { log_partition: 'partition', log_offset: 'offset' }
/** No deeper than `DEPTH_MAX` can nest what opens so few brackets. */
const BRACKETS_MAX = 32
/** Milliseconds that are taken: from 1970, within four digits of a year. */
const TIME_MAX = 100_000_000_000_000
const WHOLE_MAX = 1_000_000_000

/** Read by JavaScript and Spark alike, to the same values: no halves of surrogate pairs, no numbers near the end of what a double holds. */
const isCommon = (json: string) =>
  `NOT ${json} RLIKE r'${String.raw`\\u[dD][89a-fA-F]|[0-9][eE][+-]?[0-9]{3}`}'`

/** Null unless it is one JSON value with nothing behind it, no key of an object twice. */
const parsed = (json: string, mark: string) => `try_parse_json(concat('[', ${json}, ',"${mark}"]'))`

const SHAPES: Partial<Record<TableName, (mark: string) => Shape>> = {
  'bronze.events': events,
  'bronze.rejected_events': rejectedEvents,
  'bronze.recommendations': recommendations,
}

function events(mark: string): Shape {
  const start = PROPERTIES_KEY.length
  const properties = `substring(raw, instr(raw, '${PROPERTIES_KEY}') + ${start}, length(raw) - instr(raw, '${PROPERTIES_KEY}') - ${start})`
  const isJson = `try_variant_get(${parsed(properties, mark)}, '$[1]', 'string') = '${mark}'`
  const isFlat = `length(raw) - length(translate(raw, '[{', '')) <= ${BRACKETS_MAX}`
  return {
    prepared: [],
    isPlain: `is_valid_utf8(raw) AND raw RLIKE r'(?s)${EVENT_TEXT}' AND (endswith(raw, '${PROPERTIES_KEY}null}') OR (${isFlat} AND ${isCommon('raw')} AND ${isJson}))`,
    // A column that is computed would be computed again for each field of it that is named.
    decoded: [
      `inline(array(from_json(raw, '${EVENT_SCHEMA}')))`,
      `nullif(${properties}, 'null') AS properties`,
    ],
    columns: {
      ...Object.fromEntries(definitionOf('bronze.events').columns.map(({ name }) => [name, name])),
      ts: 'timestamp_millis(ts)',
      received_at: 'timestamp_millis(received_at)',
      event_date: dayOf('ts'),
      ...PLACE,
    },
  }
}

function rejectedEvents(mark: string): Shape {
  return objectShape(mark, {
    kinds: { ...kinds('text or null', ['raw', 'pointer', 'reason']), received_at: 'time' },
    columns: {
      raw: text('raw'),
      pointer: text('pointer'),
      reason: text('reason'),
      received_at: timestamp('received_at'),
      log_topic: 'topic',
      ...PLACE,
    },
  })
}

function recommendations(mark: string): Shape {
  const texts = ['recommendation_id', 'user_id', 'scenario', 'fallback', 'session_id'] as const
  return objectShape(mark, {
    kinds: {
      ...kinds('text or null', texts),
      recommendation_id: 'text',
      'model.name': 'text or null',
      'model.version': 'whole or null',
      generated_at: 'time',
      ...kinds('number or null', ['exploration.probability', 'took_ms']),
      rules: 'object or null',
      ...kinds('list or null', ['result', 'experiments', 'shadows']),
    },
    columns: {
      ...Object.fromEntries(texts.map((name) => [name, text(name)])),
      model_name: text('model.name'),
      model_version: whole('model.version'),
      generated_at: timestamp('generated_at'),
      products: `coalesce(${jsonOf('result')}, '[]')`,
      passport: 'raw',
      rules: jsonOf('rules'),
      exploration_probability: number('exploration.probability'),
      took_ms: number('took_ms'),
      experiments: `nullif(${jsonOf('experiments')}, '[]')`,
      shadows: `nullif(${jsonOf('shadows')}, '[]')`,
      generated_date: dayOf(whole('generated_at')),
      ...PLACE,
    },
  })
}

/** What may stand at a path of an entry for it to be plain. JSON's null, where it may, and nothing at all are alike. */
type Kind =
  | 'text'
  | 'text or null'
  | 'number or null'
  | 'time'
  | 'whole or null'
  | 'object or null'
  | 'list or null'

const KINDS: Readonly<Record<Kind, (path: string) => string>> = {
  text: (path) => `${typeAt(path)} = 'STRING'`,
  'text or null': (path) => `${typeAt(path)} IN ('STRING', 'VOID')`,
  'number or null': (path) =>
    `(${typeAt(path)} IN ('BIGINT', 'DOUBLE', 'VOID') OR ${typeAt(path)} LIKE 'DECIMAL%')`,
  time: (path) => `${typeAt(path)} = 'BIGINT' AND ${whole(path)} BETWEEN 0 AND ${TIME_MAX}`,
  'whole or null': (path) =>
    `${typeAt(path)} IN ('BIGINT', 'VOID') AND coalesce(${whole(path)}, 0) BETWEEN 0 AND ${WHOLE_MAX}`,
  'object or null': (path) => `(${typeAt(path)} LIKE 'OBJECT%' OR ${typeAt(path)} = 'VOID')`,
  'list or null': (path) => `(${typeAt(path)} LIKE 'ARRAY%' OR ${typeAt(path)} = 'VOID')`,
}

/** Entries that are a JSON object with values of these kinds. */
function objectShape(
  mark: string,
  { kinds, columns }: { readonly kinds: Readonly<Record<string, Kind>>; readonly columns: Shape['columns'] },
): Shape {
  const json = `CASE WHEN is_valid_utf8(raw) AND ${isCommon('raw')} THEN ${parsed('raw', mark)} END`
  const isOne = `try_variant_get(v, '$[1]', 'string') = '${mark}' AND raw LIKE '{%'`
  return {
    // Filters pass through other columns, and would parse the entry again wherever they name it.
    prepared: [`explode(array(${json})) AS v`],
    isPlain: [isOne, ...Object.entries(kinds).map(([path, kind]) => KINDS[kind](path))].join(' AND '),
    decoded: [],
    columns,
  }
}

function kinds(kind: Kind, names: readonly string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]))
}

function at(path: string, type: string): string {
  return `try_variant_get(v, '$[0].${path}', '${type}')`
}

function typeAt(path: string): string {
  return `coalesce(schema_of_variant(${at(path, 'variant')}), 'VOID')`
}

function text(path: string): string {
  return at(path, 'string')
}

function number(path: string): string {
  return at(path, 'double')
}

function whole(path: string): string {
  return at(path, 'bigint')
}

function timestamp(path: string): string {
  return `timestamp_millis(${whole(path)})`
}

/** The day in UTC, whatever time zone the session has. */
function dayOf(timeMs: string): string {
  return `date_from_unix_date(CAST(${timeMs} DIV 86400000 AS INT))`
}

/** As it stands in the entry, keys in their order. */
function jsonOf(path: string): string {
  return `get_json_object(raw, '$.${path}')`
}
