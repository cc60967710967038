import { expect, test } from 'vitest'
import { AnswerCache } from './answer-cache.ts'

function counted() {
  const computed: string[] = []
  const compute = (value: string) => async () => {
    computed.push(value)
    return value
  }
  return { computed, compute }
}

test('those who ask at once share one computation, and so do those who ask later', async () => {
  const cache = new AnswerCache(2)
  const { computed, compute } = counted()
  expect(await Promise.all([cache.answer('a', compute('a')), cache.answer('a', compute('a'))])).toEqual([
    'a',
    'a',
  ])
  await cache.answer('a', compute('a'))
  expect(computed).toEqual(['a'])
})

test('the least recently asked goes first', async () => {
  const cache = new AnswerCache(2)
  const { computed, compute } = counted()
  for (const question of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.answer(question, compute(question))
  expect(computed).toEqual(['a', 'b', 'c', 'b'])
})

test('a failure is told to all who wait, and computed again for the next', async () => {
  const cache = new AnswerCache(2)
  const fail = () => Promise.reject(new RangeError('no room'))
  const both = [cache.answer('a', fail), cache.answer('a', fail)]
  for (const outcome of await Promise.allSettled(both)) expect(outcome.status).toBe('rejected')
  expect(await cache.answer('a', async () => 1)).toBe(1)
})
