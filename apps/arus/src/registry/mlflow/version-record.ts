import { type ErasedHistory, isOutdated } from '../../erasure/erasure-store.ts'
import { ArusError } from '../../errors.ts'
import type { ModelVersion, NewModelVersion } from '../registry.ts'
import type { Entry, Metric, MlflowVersion } from './mlflow-api.ts'

/** What is known of a version from the moment it is registered, and never changes. */
export interface VersionRecord extends NewModelVersion {
  readonly sha256: string
  readonly size_bytes: number
}

/** One time that a version was put into production. */
export interface Promotion {
  /** UTC ms. */
  readonly at: number
  readonly reason: string
}

/** Tag of a model version: its promotions as JSON, the newest last. */
export const PROMOTIONS_TAG = 'arus.promotions'
const PROMOTIONS_MAX = 10
const REASON_LENGTH_MAX = 400

/** Tags of a model version: its record as JSON, in parts, since older servers take 5,000 characters in one. */
const RECORD_TAG = 'arus.record.'
const RECORD_PART_LENGTH = 4_000

/** MLflow 3 takes 6,000 characters, MLflow 2 some hundred less. */
const PARAM_LENGTH_MAX = 5_000
const NAME_LENGTH_MAX = 250

/** Tags that a model version has from its beginning. */
export function versionTags(record: VersionRecord): Entry[] {
  // ASCII, so that a part does not end within a character.
  const text = JSON.stringify(record).replaceAll(/[^ -~]/g, escaped)
  const parts = Array.from({ length: Math.ceil(text.length / RECORD_PART_LENGTH) }, (_, n) => ({
    key: RECORD_TAG + n,
    value: text.slice(n * RECORD_PART_LENGTH, (n + 1) * RECORD_PART_LENGTH),
  }))
  return [
    { key: 'arus.kind', value: record.kind },
    { key: 'arus.sha256', value: record.sha256 },
    { key: 'arus.trained_at', value: new Date(record.trained_at).toISOString() },
    ...parts,
  ]
}

/** Null for a version that Arus did not register, or whose tags were taken away. */
export function recordOf({ tags = [] }: MlflowVersion): VersionRecord | null {
  const values = new Map(tags.map(({ key, value }) => [key, value]))
  let text = ''
  for (let n = 0; values.has(RECORD_TAG + n); n++) text += values.get(RECORD_TAG + n)
  return parsed<VersionRecord>(text)
}

export function promotionsOf({ tags = [] }: MlflowVersion): readonly Promotion[] {
  return parsed<Promotion[]>(tags.find(({ key }) => key === PROMOTIONS_TAG)?.value ?? '') ?? []
}

/** The tag with one promotion more; the oldest go. */
export function withPromotion(promotions: readonly Promotion[], { at, reason }: Promotion): Entry {
  const all = [...promotions, { at, reason: reason.slice(0, REASON_LENGTH_MAX) }]
  return { key: PROMOTIONS_TAG, value: JSON.stringify(all.slice(-PROMOTIONS_MAX)) }
}

/** Throws `MODEL_UNKNOWN` for a version that Arus did not register. */
export function knownRecordOf(version: MlflowVersion): VersionRecord {
  const record = recordOf(version)
  if (record !== null) return record
  throw new ArusError(
    'MODEL_UNKNOWN',
    `Model version ${version.version} in MLflow was not registered by Arus (it has no tag ${RECORD_TAG}0), so it cannot serve; give the alias to another`,
  )
}

/** A model version as the port has it. Throws `MODEL_UNKNOWN` as `knownRecordOf` does. */
export function modelVersionOf(
  version: MlflowVersion,
  inProduction: number | null,
  erased: readonly ErasedHistory[],
): ModelVersion {
  const { sha256: _, ...record } = knownRecordOf(version)
  const number = Number(version.version)
  const last = promotionsOf(version).at(-1)
  return {
    ...record,
    version: number,
    status: number === inProduction ? 'production' : last === undefined ? 'candidate' : 'archived',
    promoted_at: last?.at ?? null,
    reason: last?.reason ?? record.reason,
    outdated: isOutdated(erased, record.trained_at),
  }
}

/** Tags of the run of a training. */
export function runTags(record: VersionRecord, shop: string): Entry[] {
  return [
    { key: 'arus.shop', value: shop },
    { key: 'arus.kind', value: record.kind },
    { key: 'arus.sha256', value: record.sha256 },
    { key: 'arus.trained_at', value: new Date(record.trained_at).toISOString() },
    ...Object.entries(record.table_versions).map(([table, version]) => ({
      key: nameOf(`arus.table_version.${table}`),
      value: String(version),
    })),
  ]
}

/** Parameters of a run: those of the training, one a leaf, with dots between the names. What is too long is cut: `version.json` has all. */
export function runParams(record: VersionRecord): Entry[] {
  const counts = {
    user_count: record.user_count,
    product_count: record.product_count,
    interaction_count: record.interaction_count,
    size_bytes: record.size_bytes,
  }
  const leaves = new Map<string, string>()
  for (const [name, value] of leavesOf({ kind: record.kind, ...counts, ...record.params }, '')) {
    leaves.set(nameOf(name), value.slice(0, PARAM_LENGTH_MAX).toWellFormed())
  }
  return [...leaves].map(([key, value]) => ({ key, value }))
}

/** Metrics of a run: `walk/ndcg_at_20` for `ndcg@20` of the walk; of sessions below `session/`, of carts below `cart/`. Only finite numbers. */
export function runMetrics(record: VersionRecord, timestamp: number): Metric[] {
  const metrics = new Map<string, number>()
  const take = (prefix: string, groups: VersionRecord['metrics']) => {
    for (const [group, values] of Object.entries(groups))
      for (const [name, value] of Object.entries(values))
        if (Number.isFinite(value)) metrics.set(nameOf(`${prefix}${group}/${name}`), value)
  }
  take('', record.metrics)
  take('session/', record.session?.metrics ?? {})
  take('cart/', record.cart?.metrics ?? {})
  return [...metrics].map(([key, value]) => ({ key, value, timestamp }))
}

/**
 * A name as MLflow takes it: letters, digits, `_ - . space /` (no colon, which it refuses on Windows), a path whose parts are
 * neither empty nor dots. `@` becomes `_at_`, anything else `_`.
 */
export function nameOf(text: string): string {
  const name = text
    .replaceAll('@', '_at_')
    .replaceAll(/[^\w\-. /]/g, '_')
    .replaceAll(/\/+/g, '/')
    .replace(/^\//, '')
  const parts = name.slice(0, NAME_LENGTH_MAX - 1).split('/')
  return parts.map((part) => (/^[. ]*$/.test(part) ? '_'.repeat(Math.max(1, part.length)) : part)).join('/')
}

function* leavesOf(value: unknown, name: string): Generator<readonly [string, string]> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, child] of Object.entries(value))
      yield* leavesOf(child, name === '' ? key : `${name}.${key}`)
  } else if (value !== undefined) {
    yield [name, typeof value === 'string' ? value : JSON.stringify(value)]
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function parsed<T>(text: string): T | null {
  try {
    return text === '' ? null : (JSON.parse(text) as T)
  } catch {
    return null
  }
}
