import { type EntryPlace, readLoggedEvent } from '../events/logged-event.ts'
import type { Refusal } from '../events/refusal.ts'
import type { StagedType, StagedValue } from './staged-rows.ts'

/** An entry of a topic, decoded, with its place. */
export interface Decoded {
  readonly body: Readonly<Record<string, unknown>>
  /** The entry as it stands. */
  readonly raw: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
}

/** How a topic becomes rows of a bronze table: staged columns with the way to their value, and the SELECT over them. */
export interface BronzeMapping {
  readonly layout: readonly (readonly [
    name: string,
    type: StagedType,
    value: (entry: Decoded) => StagedValue,
  ])[]
  readonly select: (staged: string) => string
  /** What an entry says, or why it cannot be a row. */
  readonly read: (raw: string, place: EntryPlace) => ReadEntry
}

export type ReadEntry =
  | { readonly kind: 'row'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

const PLACE = [
  ['log_partition', 'integer', ({ partition }: Decoded) => partition],
  ['log_offset', 'integer', ({ offset }: Decoded) => offset],
] as const

const TEXTS = [
  'event_id',
  'user_id',
  'session_id',
  'anonymous_id',
  'action',
  'product_id',
  'order_id',
  'recommendation_id',
  'query',
] as const
const NUMBERS = ['price', 'quantity'] as const
/** What an entry may say without being refused is no reason to stop: what no column can hold becomes null. */
const RANK_MAX = 1_000_000_000
const TIME_MAX = 2.5e14

/** The events topic: `ShopEvent` as JSON. */
export const EVENTS: BronzeMapping = {
  layout: [
    ...TEXTS.map((name) => [name, 'text', ({ body }: Decoded) => textOf(body[name])] as const),
    ...NUMBERS.map((name) => [name, 'number', ({ body }: Decoded) => numberOf(body[name])] as const),
    ['position', 'number', ({ body }) => rankOf(body.position)],
    ['ts', 'integer', ({ body }) => Math.trunc(Number(body.ts))],
    ['received_at', 'integer', ({ body, timestampMs }) => timeOf(body.received_at, timestampMs)],
    ['properties', 'text', ({ body }) => (body.properties == null ? null : JSON.stringify(body.properties))],
    ...PLACE,
  ],
  select: (
    staged,
  ) => `SELECT * REPLACE (position::INTEGER AS position, make_timestamp(ts * 1000)::TIMESTAMPTZ AS ts, make_timestamp(received_at * 1000)::TIMESTAMPTZ AS received_at),
    make_timestamp(ts * 1000)::DATE AS event_date FROM ${staged}`,
  read: (raw, place) => {
    const read = readLoggedEvent(raw, place)
    return read.kind === 'event' ? { kind: 'row', body: fieldsOf(read.event) } : read
  },
}

/** The rejected topic: raw event, pointer and reason. */
export const REJECTED_EVENTS: BronzeMapping = {
  layout: [
    ['raw', 'text', ({ body }) => textOf(body.raw)],
    ['pointer', 'text', ({ body }) => textOf(body.pointer)],
    ['reason', 'text', ({ body }) => textOf(body.reason)],
    ['received_at', 'integer', ({ body, timestampMs }) => timeOf(body.received_at, timestampMs)],
    ['log_topic', 'text', ({ topic }) => topic],
    ...PLACE,
  ],
  select: (staged) =>
    `SELECT * REPLACE (make_timestamp(received_at * 1000)::TIMESTAMPTZ AS received_at) FROM ${staged}`,
  read: readObject,
}

/** The recommendations topic: a passport each. */
export const RECOMMENDATIONS: BronzeMapping = {
  layout: [
    ['recommendation_id', 'text', ({ body }) => textOf(body.recommendation_id)],
    ['user_id', 'text', ({ body }) => textOf(body.user_id)],
    ['scenario', 'text', ({ body }) => textOf(body.scenario)],
    ['fallback', 'text', ({ body }) => textOf(body.fallback)],
    ['model_name', 'text', ({ body }) => textOf(fieldsOf(body.model).name)],
    ['model_version', 'integer', ({ body }) => wholeOf(fieldsOf(body.model).version)],
    ['generated_at', 'integer', ({ body, timestampMs }) => timeOf(body.generated_at, timestampMs)],
    ['products', 'text', ({ body }) => JSON.stringify(body.result ?? [])],
    ['passport', 'text', ({ raw }) => raw],
    ['rules', 'text', ({ body }) => textOf(body.rules)],
    ['exploration_probability', 'number', ({ body }) => numberOf(fieldsOf(body.exploration).probability)],
    ...PLACE,
    ['session_id', 'text', ({ body }) => textOf(body.session_id)],
    ['took_ms', 'number', ({ body }) => numberOf(body.took_ms)],
    ['experiments', 'text', ({ body }) => listOf(body.experiments)],
    ['shadows', 'text', ({ body }) => listOf(body.shadows)],
  ],
  select: (staged) => `SELECT * REPLACE (make_timestamp(generated_at * 1000)::TIMESTAMPTZ AS generated_at),
    make_timestamp(generated_at * 1000)::DATE AS generated_date FROM ${staged}`,
  read: (raw) => {
    const read = readObject(raw)
    if (read.kind === 'refused' || typeof read.body.recommendation_id === 'string') return read
    return refused('recommendation_id is not a text')
  },
}

function readObject(raw: string): ReadEntry {
  try {
    const value: unknown = JSON.parse(raw)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { kind: 'row', body: value as Record<string, unknown> }
  } catch {
    // Told below.
  }
  return refused('the entry is not a JSON object')
}

function refused(reason: string): ReadEntry {
  return { kind: 'refused', refusal: { pointer: '', reason } }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A list as JSON; null for one of nothing. */
function listOf(value: unknown): string | null {
  return Array.isArray(value) && value.length > 0 ? JSON.stringify(value) : null
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function wholeOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null
}

function rankOf(value: unknown): number | null {
  const rank = numberOf(value)
  return rank !== null && Math.abs(rank) <= RANK_MAX ? rank : null
}

/** UTC milliseconds; those of the record where the value is no time. */
function timeOf(value: unknown, timestampMs: number): number {
  const time = numberOf(value)
  if (time !== null && Math.abs(time) < TIME_MAX) return Math.trunc(time)
  return Math.trunc(Math.min(Math.max(timestampMs, 0), TIME_MAX))
}
