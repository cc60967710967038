import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MlflowVersion } from './mlflow-api.ts'
import {
  modelVersionOf,
  nameOf,
  PROMOTIONS_TAG,
  promotionsOf,
  recordOf,
  runMetrics,
  runParams,
  type VersionRecord,
  versionTags,
  withPromotion,
} from './version-record.ts'

const RECORD: VersionRecord = {
  kind: 'walk',
  metrics: { walk: { 'ndcg@20': 0.25, odd: Number.NaN }, popular: { 'ndcg@20': 0.1 } },
  session: { kind: null, spec: {}, metrics: { known: { 'mrr@20': 0.5 } }, reason: 'no better' },
  params: { choice: { kind: 'walk', options: { endExponent: 0.4 } }, test_share: 0.2, list: [1, 2] },
  table_versions: { 'silver.interactions': 7 },
  user_count: 10,
  product_count: 20,
  interaction_count: 100,
  trained_at: 1_770_000_000_000,
  reason: 'first',
  sha256: 'ab'.repeat(32),
  size_bytes: 3,
}

const versionWith = (tags: MlflowVersion['tags']): MlflowVersion => ({
  version: '3',
  source: 'mlflow-artifacts:/1/a/artifacts/model',
  ...(tags === undefined ? {} : { tags }),
})

describe('the record of a version in tags', () => {
  test('any record comes back, in tags of ASCII that every server takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(600), (text, times) => {
        const reason = text.repeat(times)
        const record = { ...RECORD, metrics: {}, reason }
        const tags = versionTags(record)
        expect(tags.every(({ value }) => /^[ -~]{0,5000}$/.test(value))).toBe(true)
        expect(recordOf(versionWith(tags))).toEqual(record)
      }),
    )
  })

  test('a version of somebody else has none', () => {
    expect(recordOf(versionWith(undefined))).toBeNull()
    expect(recordOf(versionWith([{ key: 'arus.record.0', value: '{"kind":' }]))).toBeNull()
    expect(() => modelVersionOf(versionWith([]), null, [])).toThrow(/not registered by Arus/)
  })
})

describe('promotions', () => {
  test('the newest are kept, and say what a version is', () => {
    let version = versionWith(versionTags(RECORD))
    expect(modelVersionOf(version, null, [])).toMatchObject({ status: 'candidate', promoted_at: null })
    for (let at = 1; at <= 30; at++) {
      const tag = withPromotion(promotionsOf(version), { at, reason: '😀'.repeat(500) })
      expect(tag.value.length).toBeLessThan(5_000)
      version = versionWith([...versionTags(RECORD), tag])
    }
    expect(promotionsOf(version).map(({ at }) => at)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30])
    expect(modelVersionOf(version, 3, [])).toMatchObject({ status: 'production', promoted_at: 30 })
    expect(modelVersionOf(version, 4, [])).toMatchObject({ status: 'archived', version: 3 })
  })

  test('a tag that somebody spoiled counts as none', () => {
    expect(promotionsOf(versionWith([{ key: PROMOTIONS_TAG, value: 'spoiled' }]))).toEqual([])
  })

  test('a version is outdated by the history of a shopper who was erased', () => {
    const erased = [{ hashes: [], fromMs: RECORD.trained_at, untilMs: Number.POSITIVE_INFINITY }]
    expect(modelVersionOf(versionWith(versionTags(RECORD)), null, erased).outdated).toBe(true)
    expect(modelVersionOf(versionWith(versionTags(RECORD)), null, []).outdated).toBe(false)
  })
})

describe('a run', () => {
  test('has a parameter for each leaf, and finite metrics under names that MLflow takes', () => {
    const params = Object.fromEntries(runParams(RECORD).map(({ key, value }) => [key, value]))
    expect(params).toMatchObject({
      kind: 'walk',
      'choice.kind': 'walk',
      'choice.options.endExponent': '0.4',
      test_share: '0.2',
      list: '[1,2]',
      user_count: '10',
    })
    expect(runMetrics(RECORD, 5)).toEqual([
      { key: 'walk/ndcg_at_20', value: 0.25, timestamp: 5 },
      { key: 'popular/ndcg_at_20', value: 0.1, timestamp: 5 },
      { key: 'session/known/mrr_at_20', value: 0.5, timestamp: 5 },
    ])
  })

  test('any name becomes one that MLflow takes: a plain path of its characters', () => {
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('/', '.', '..', '//', ' ', '@'))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 300 }), (parts) => {
        const name = nameOf(parts.join(''))
        expect(name).toMatch(/^[\w\-. /]{1,250}$/)
        for (const each of name.split('/')) expect(each).not.toMatch(/^\.{0,2}$/)
      }),
    )
    expect(nameOf('walk/ndcg@20')).toBe('walk/ndcg_at_20')
  })
})
