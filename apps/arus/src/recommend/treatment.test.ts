import { v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { Treatment } from '../experiments/treatment.ts'
import type { LevelFault } from './fault-reporter.ts'
import type { Passport } from './passport/passport.ts'
import { recompute } from './passport/recompute.ts'
import { createRecommender } from './recommender.ts'
import type { AnswerAgain, RecommenderOptions } from './recommender-options.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from './test-shop.ts'

const NOW_MS = Date.UTC(2026, 0, 15)
const MARKS = [{ id: 'exp_1', variant: 'new', fell_back: null }]

function shop(changes: Pick<RecommenderOptions, 'treatment' | 'isWithheld'>) {
  const catalogue = new ShopCatalogue(['a', 'b', 'c', 'd', 'e'].map((id) => productNamed(id)))
  const live = new ShopLive(() => NOW_MS)
  const production = new ShopModel({ a: ['b'] })
  const other = new ShopModel({ a: ['c'] }, 7)
  const answers: { readonly passport: Passport; readonly again: AnswerAgain }[] = []
  const faults: LevelFault[] = []
  const recommender = createRecommender({
    catalogue: () => catalogue,
    live: () => live,
    model: () => production,
    onAnswer: (passport, { again }) => answers.push({ passport, again }),
    onFault: (fault) => faults.push(fault),
    now: () => NOW_MS,
    uuid: v7,
    ...changes,
  })
  live.act('ani', 'a')
  return { recommender, live, catalogue, production, other, answers, faults }
}

const OTHER = new ShopModel({ a: ['c'] }, 7)
const treated: Treatment = { marks: MARKS, model: OTHER }
const firstOf = (answer: { recommendations: readonly { product_id: string }[] }) =>
  answer.recommendations[0]?.product_id

describe('a treated shopper', () => {
  test('is answered by the variant’s model; others, and other scenarios, by production', async () => {
    const { recommender, answers, live } = shop({
      treatment: (unit, scenario) => (unit === 'ani' && scenario === 'home' ? treated : null),
    })
    live.act('budi', 'a')
    const answer = await recommender.forUser('ani', { limit: 1, scenario: 'home' })
    expect(firstOf(answer)).toBe('c')
    expect(answer).toMatchObject({ model: { version: 7 }, experiments: [{ id: 'exp_1', variant: 'new' }] })
    for (const [user, scenario] of [
      ['ani', 'cart'],
      ['budi', 'home'],
    ] as const) {
      const untreated = await recommender.forUser(user, { limit: 1, scenario })
      expect([firstOf(untreated), untreated.model?.version]).toEqual(['b', 3])
      expect(untreated).not.toHaveProperty('experiments')
    }
    expect(answers.map(({ passport }) => [passport.experiments, passport.parts?.model])).toEqual([
      [MARKS, 7],
      [[], 3],
      [[], 3],
    ])
  })

  test('is known by session where nobody signed in; carts and products alone are nobody', async () => {
    const asked: string[] = []
    const { recommender } = shop({
      treatment: (unit, scenario) => {
        asked.push(`${unit} ${scenario}`)
        return null
      },
    })
    await recommender.forSession('s1', { limit: 1 })
    await recommender.forUser('ani', { limit: 1, sessionId: 's1' })
    await recommender.similar('a', { limit: 1 })
    await recommender.forCart(['a'], { limit: 1 })
    expect(asked).toEqual(['s1 session', 'ani for_you'])
  })

  test('without a model of the variant is answered by production, and the passport says why', async () => {
    const marks = [{ id: 'exp_1', variant: 'new', fell_back: 'Model version 7 is gone.' }]
    const { recommender, answers } = shop({ treatment: () => ({ marks, model: null }) })
    expect(firstOf(await recommender.forUser('ani', { limit: 1 }))).toBe('b')
    expect(answers[0]?.passport).toMatchObject({ experiments: marks, parts: { model: 3 } })
  })

  test('who was erased is answered without any model', async () => {
    const { recommender } = shop({ treatment: () => treated, isWithheld: (name) => name === 'ani' })
    expect((await recommender.forUser('ani', { limit: 1 })).model).toBeNull()
  })

  test('gets an answer when experiments fail, and the fault is told', async () => {
    const { recommender, faults } = shop({
      treatment: () => {
        throw new Error('broken')
      },
    })
    expect(firstOf(await recommender.forUser('ani', { limit: 1 }))).toBe('b')
    expect(faults.map(({ level }) => level)).toEqual(['experiments'])
  })
})

test('an answer of a variant is computed again by the variant’s model', async () => {
  const { recommender, answers, live, catalogue, other, production } = shop({ treatment: () => treated })
  await recommender.forUser('ani', { limit: 3 })
  const passport = answers[0]!.passport
  const again = (loaded: ShopModel) =>
    recompute(passport, {
      readEvents: (places) => live.eventsAt(places),
      loadModel: async (version) => (version === loaded.version ? loaded : { gone: 'not this one' }),
      rulesAt: async () => null,
      catalogue: () => catalogue,
    })
  expect((await again(other)).kind).toBe('same')
  expect((await again(production)).reasons).toEqual(['Model version 7 is gone: not this one'])
})

test('asked again, another model ranks for the same request, and no answer is counted', async () => {
  const { recommender, answers, live, other } = shop({})
  await recommender.forUser('ani', { limit: 2, exclude: ['d'] })
  await recommender.similar('a', { limit: 2 })
  const before = [answers.length, live.answered]
  const [user, similar] = await Promise.all(answers.map(({ again }) => again(other)))
  expect(user?.products[0]).toBe('c')
  expect(user?.products).not.toContain('d')
  expect(similar?.products[0]).toBe('c')
  expect(user?.took_ms).toBeGreaterThanOrEqual(0)
  expect([answers.length, live.answered]).toEqual(before)
})
