import { expect, it } from 'vitest'
import { KeptOn, madeOnce } from './kept-on.ts'

it('keeps what was made of an object for that object alone', () => {
  const texts = new KeptOn<object, string>()
  const lengths = new KeptOn<object, number>()
  const list = [1, 2]
  expect(texts.get(list)).toBeUndefined()
  texts.set(list, 'two')
  lengths.set(list, 2)
  texts.set(list, 'two of them')
  expect(texts.get(list)).toBe('two of them')
  expect(lengths.get(list)).toBe(2)
  expect(texts.get([1, 2])).toBeUndefined()
})

it('is not seen by copies, JSON and comparisons', () => {
  const texts = new KeptOn<object, string>()
  const past = { products: [] }
  texts.set(past, 'nothing')
  expect(texts.get({ ...past })).toBeUndefined()
  expect(JSON.stringify(past)).toBe('{"products":[]}')
  expect(past).toStrictEqual({ products: [] })
})

it('makes of each list once, as long as it is held', () => {
  let made = 0
  const lengthOf = madeOnce((list: readonly number[]) => {
    made += 1
    return list.length
  })
  const list = [1, 2]
  expect([lengthOf(list), lengthOf(list), lengthOf([1, 2]), made]).toEqual([2, 2, 2, 2])
})
