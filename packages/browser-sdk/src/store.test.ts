import { expect, test } from 'vitest'
import { openStore } from './store.ts'
import { MemoryStorage } from './test-storage.ts'

function blocked(): Storage {
  throw new DOMException('blocked', 'SecurityError')
}

test('two pages of an origin see one another’s texts, and nobody else’s', () => {
  const storage = new MemoryStorage()
  storage.setItem('cart', 'of the shop')
  const [first, second] = [openStore(() => storage), openStore(() => storage)]
  first.set('event.2', 'b')
  second.set('event.1', 'a')
  expect(first.names('event.')).toEqual(['event.1', 'event.2'])
  expect(first.names('')).toEqual(['event.1', 'event.2'])
  second.set('event.2', null)
  expect(first.get('event.2')).toBe(null)
  expect(storage.getItem('cart')).toBe('of the shop')
})

test('where storage is blocked, everything is kept for the page', () => {
  const store = openStore(blocked)
  store.set('id', 'a')
  expect([store.get('id'), store.names(''), store.get('none')]).toEqual(['a', ['id'], null])
  store.set('id', null)
  expect(store.names('')).toEqual([])
})

test('what a full storage does not take is kept for the page, and read before what is older', () => {
  const storage = new MemoryStorage(6)
  const store = openStore(() => storage)
  store.set('a', '12345')
  store.set('b', '12345')
  store.set('a', '1234567')
  expect([store.get('a'), store.get('b')]).toEqual(['1234567', '12345'])
  expect(store.names('')).toEqual(['a', 'b'])
  store.set('a', '1')
  expect(openStore(() => storage).get('a')).toBe('1')
})
