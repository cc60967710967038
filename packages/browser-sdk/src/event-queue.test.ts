import { afterEach, expect, test, vi } from 'vitest'
import { openEventQueue } from './event-queue.ts'
import { openStore } from './store.ts'
import { MemoryStorage } from './test-storage.ts'

const HOUR_MS = 3_600_000

function openPages() {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const storage = new MemoryStorage()
  const open = () =>
    openEventQueue(
      openStore(() => storage),
      () => clock.nowMs++,
    )
  return { clock, open, queue: open() }
}

const numbersOf = (batch: { readonly body: string } | null): number[] =>
  batch === null ? [] : JSON.parse(batch.body).map(({ n }: { n: number }) => n)

afterEach(() => vi.restoreAllMocks())

test('pages share one queue, oldest first, and what one removed is gone for all', () => {
  const { queue, open } = openPages()
  const other = open()
  queue.add({ n: 1 })
  other.add({ n: 2 })
  const batch = queue.batch()
  expect(numbersOf(batch)).toEqual([1, 2])
  if (batch !== null) queue.remove(batch)
  expect([other.size(), other.batch()]).toEqual([0, null])
})

test('events of one millisecond keep their order', () => {
  const storage = new MemoryStorage()
  const queue = openEventQueue(
    openStore(() => storage),
    () => Date.UTC(2026, 0, 1),
  )
  for (let n = 0; n < 50; n++) queue.add({ n })
  expect(numbersOf(queue.batch())).toEqual(Array.from({ length: 50 }, (_, n) => n))
})

test('a batch holds 50 events, and no more than 20,000 characters', () => {
  const { queue } = openPages()
  for (let n = 0; n < 120; n++) queue.add({ n })
  expect(numbersOf(queue.batch())).toEqual(Array.from({ length: 50 }, (_, n) => n))
  const { queue: long } = openPages()
  for (let n = 0; n < 5; n++) long.add({ n, text: 'x'.repeat(9_000) })
  expect(numbersOf(long.batch())).toEqual([0, 1])
})

test('keeps the newest 500 events and half a million characters', () => {
  const { queue } = openPages()
  for (let n = 0; n < 520; n++) queue.add({ n })
  expect([queue.size(), numbersOf(queue.batch())[0]]).toEqual([500, 20])
  const { queue: long } = openPages()
  for (let n = 0; n < 60; n++) long.add({ n, text: 'x'.repeat(10_000) })
  expect(long.size()).toBe(49)
  expect(numbersOf(long.batch())[0]).toBe(11)
})

test('an event that would be refused for its length is told of and not kept', () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { queue } = openPages()
  queue.add({ text: 'x'.repeat(20_000) })
  expect(queue.size()).toBe(0)
  expect(warned).toHaveBeenCalledOnce()
})

test('when a page ends, its own events that are not under way are left; a beacon takes them once', () => {
  const { queue, open } = openPages()
  queue.add({ n: 1 })
  const underWay = queue.batch()
  queue.add({ n: 2 })
  open().add({ n: 3 })
  const left = queue.unsent(underWay?.names ?? [])
  expect(numbersOf(left)).toEqual([2])
  if (left !== null) queue.markBeaconed(left)
  expect(queue.unsent(underWay?.names ?? [])).toBe(null)
  expect(numbersOf(open().batch())).toEqual([1, 2, 3])
})

test('what a beacon took is sent again within the hour only; what it did not take waits for days', () => {
  const { clock, queue, open } = openPages()
  queue.add({ n: 1 })
  const left = queue.unsent([])
  if (left !== null) queue.markBeaconed(left)
  clock.nowMs += HOUR_MS / 2
  expect(numbersOf(open().batch())).toEqual([1])
  open().add({ n: 2 })
  clock.nowMs += HOUR_MS
  expect(numbersOf(open().batch())).toEqual([2])
  expect(queue.size()).toBe(1)
  clock.nowMs += 100 * 24 * HOUR_MS
  expect(numbersOf(open().batch())).toEqual([2])
})
