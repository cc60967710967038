import type { TableName } from '../table-names.ts'
import { definitionOf } from '../tables/index.ts'

/**
 * Entries that Spark decodes by itself: those that Arus wrote, in the shape that Arus gives them. Whatever differs from it in
 * any way is left to `readLoggedEvent` and its like, so that there is one place where foreign and broken entries are judged.
 */
export interface PlainEntries {
  /** Condition over Kafka's columns, never null: the entry is one of them. */
  readonly isPlain: string
  /** Array of one struct with the table's columns, or of none. */
  readonly rows: string
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

const NUMBER = `LIKE 'DECIMAL%' OR {} IN ('BIGINT', 'DOUBLE', 'VOID')`
const KINDS: Readonly<Record<Kind, string>> = {
  text: `{} = 'STRING'`,
  'text or null': `{} IN ('STRING', 'VOID')`,
  'number or null': `({} ${NUMBER})`,
  time: `{} = 'BIGINT'`,
  'whole or null': `{} IN ('BIGINT', 'VOID')`,
  'object or null': `({} LIKE 'OBJECT%' OR {} = 'VOID')`,
  'list or null': `({} LIKE 'ARRAY%' OR {} = 'VOID')`,
}

/** Milliseconds that are taken: from 1970, within four digits of a year. */
const TIME_MAX = 100_000_000_000_000
/** In code units of JavaScript; never more than the bytes of UTF-8. */
const ID_BYTES_MAX = 512
/** No deeper than `DEPTH_MAX` can nest what opens so few brackets. */
const BRACKETS_MAX = 32

/**
 * JSON as JavaScript reads it and Spark too, to the same values: no bytes that are no UTF-8, no halves of surrogate pairs, no
 * numbers near the end of what a double holds.
 */
const IS_COMMON_JSON = String.raw`is_valid_utf8(CAST(value AS STRING)) AND NOT CAST(value AS STRING) RLIKE r'\\u[dD][89a-fA-F]|[0-9][eE][+-]?[0-9]{3}'`

export function plainEntries(table: TableName, mark: string): PlainEntries {
  const shape = SHAPES[table]
  if (shape === undefined) throw new TypeError(`${table} is not written from the log`)
  const conditions = [
    // What follows the entry is what was put there: it is one JSON value, and nothing stands behind it.
    `${text('$[1]')} <=> '${mark}'`,
    ...Object.entries(shape.kinds).map(([path, kind]) => KINDS[kind].replaceAll('{}', typeAt(path))),
    ...shape.conditions,
  ]
  const condition = `coalesce(${conditions.join(' AND ')}, false)`
  const columns = definitionOf(table).columns.map(({ name }) => `'${name}', ${shape.columns[name]}`)
  // A lambda's variable is computed once, however often it is used; a key that stands twice makes it null.
  const parsed = `CASE WHEN ${IS_COMMON_JSON} THEN try_parse_json(concat('[', CAST(value AS STRING), ',"${mark}"]')) END`
  return {
    isPlain: `transform(array(${parsed}), v -> ${condition})[0]`,
    rows: `transform(filter(array(${parsed}), v -> ${condition}), v -> named_struct(${columns.join(', ')}))`,
  }
}

interface Shape {
  /** By path of the entry. */
  readonly kinds: Readonly<Record<string, Kind>>
  /** Beyond the kinds. */
  readonly conditions: readonly string[]
  /** SQL of each column. */
  readonly columns: Readonly<Record<string, string>>
}

const RAW = 'CAST(value AS STRING)'
const IDS = ['event_id', 'user_id', 'session_id', 'anonymous_id', 'action', 'product_id'] as const
const PLACE = { log_partition: 'partition', log_offset: 'offset' }

const EVENTS: Shape = {
  kinds: {
    ...kinds('text', ['event_id', 'action']),
    ...kinds('text or null', [
      'user_id',
      'session_id',
      'anonymous_id',
      'product_id',
      'order_id',
      'recommendation_id',
      'query',
    ]),
    ...kinds('time', ['ts', 'received_at']),
    ...kinds('number or null', ['price', 'quantity']),
    position: 'whole or null',
    properties: 'object or null',
  },
  conditions: [
    // Fields that are not there make a foreign event of it.
    ...[
      'user_id',
      'session_id',
      'anonymous_id',
      'product_id',
      'price',
      'quantity',
      'order_id',
      'recommendation_id',
      'position',
      'query',
      'properties',
    ].map((name) => `${at(name)} IS NOT NULL`),
    ...IDS.map((name) => `coalesce(octet_length(${text(name)}), 1) BETWEEN 1 AND ${ID_BYTES_MAX}`),
    `coalesce(${text('user_id')}, ${text('anonymous_id')}, ${text('session_id')}) IS NOT NULL`,
    isTime('ts'),
    isTime('received_at'),
    `coalesce(${whole('position')}, 1) BETWEEN 1 AND 1000000000`,
    `length(${RAW}) - length(translate(${RAW}, '[{', '')) <= ${BRACKETS_MAX}`,
  ],
  columns: {
    ...Object.fromEntries(
      [...IDS, 'order_id', 'recommendation_id', 'query'].map((name) => [name, text(name)]),
    ),
    price: number('price'),
    quantity: number('quantity'),
    position: `CAST(${whole('position')} AS INT)`,
    ts: timestamp('ts'),
    received_at: timestamp('received_at'),
    properties: jsonOf('properties'),
    event_date: date('ts'),
    ...PLACE,
  },
}

const REJECTED_EVENTS: Shape = {
  kinds: { ...kinds('text or null', ['raw', 'pointer', 'reason']), received_at: 'time' },
  conditions: [`${RAW} LIKE '{%'`, isTime('received_at')],
  columns: {
    raw: text('raw'),
    pointer: text('pointer'),
    reason: text('reason'),
    received_at: timestamp('received_at'),
    log_topic: 'topic',
    ...PLACE,
  },
}

const RECOMMENDATIONS: Shape = {
  kinds: {
    recommendation_id: 'text',
    ...kinds('text or null', ['user_id', 'scenario', 'fallback', 'session_id']),
    'model.name': 'text or null',
    'model.version': 'whole or null',
    generated_at: 'time',
    ...kinds('number or null', ['exploration.probability', 'took_ms']),
    rules: 'object or null',
    ...kinds('list or null', ['result', 'experiments', 'shadows']),
  },
  conditions: [isTime('generated_at'), `coalesce(${whole('model.version')}, 0) BETWEEN 0 AND 1000000000`],
  columns: {
    ...Object.fromEntries(
      ['recommendation_id', 'user_id', 'scenario', 'fallback', 'session_id'].map((name) => [
        name,
        text(name),
      ]),
    ),
    model_name: text('model.name'),
    model_version: whole('model.version'),
    generated_at: timestamp('generated_at'),
    products: `coalesce(${jsonOf('result')}, '[]')`,
    passport: RAW,
    rules: jsonOf('rules'),
    exploration_probability: number('exploration.probability'),
    took_ms: number('took_ms'),
    experiments: `nullif(${jsonOf('experiments')}, '[]')`,
    shadows: `nullif(${jsonOf('shadows')}, '[]')`,
    generated_date: date('generated_at'),
    ...PLACE,
  },
}

const SHAPES: Partial<Record<TableName, Shape>> = {
  'bronze.events': EVENTS,
  'bronze.rejected_events': REJECTED_EVENTS,
  'bronze.recommendations': RECOMMENDATIONS,
}

function kinds(kind: Kind, names: readonly string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]))
}

function pathOf(path: string): string {
  return path.startsWith('$') ? path : `$[0].${path}`
}

function at(path: string, type = 'variant'): string {
  return `try_variant_get(v, '${pathOf(path)}', '${type}')`
}

function typeAt(path: string): string {
  return `coalesce(schema_of_variant(${at(path)}), 'VOID')`
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

function isTime(path: string): string {
  return `${whole(path)} BETWEEN 0 AND ${TIME_MAX}`
}

function timestamp(path: string): string {
  return `timestamp_millis(${whole(path)})`
}

/** The day in UTC, whatever time zone the session has. */
function date(path: string): string {
  return `date_from_unix_date(CAST(${whole(path)} DIV 86400000 AS INT))`
}

/** As it stands in the entry, keys in their order. */
function jsonOf(path: string): string {
  return `get_json_object(${RAW}, '$.${path}')`
}
