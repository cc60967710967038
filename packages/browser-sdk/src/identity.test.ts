import { expect, test } from 'vitest'
import { openConsent } from './consent.ts'
import { openIdentity } from './identity.ts'
import { newId, timeOf } from './new-id.ts'
import { openStore } from './store.ts'
import { MemoryStorage } from './test-storage.ts'

const MINUTE_MS = 60_000

function openVisitor() {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const storage = new MemoryStorage()
  const shared = openStore(() => storage)
  const open = () => openIdentity(shared, () => clock.nowMs)
  return { clock, open, identity: open() }
}

test('a session goes on until there was silence for more than 30 minutes; the visitor stays', () => {
  const { clock, identity, open } = openVisitor()
  const first = identity.fields()
  for (let i = 0; i < 3; i++) {
    clock.nowMs += 30 * MINUTE_MS
    expect(open().fields()).toEqual(first)
  }
  clock.nowMs += 30 * MINUTE_MS + 1
  const second = identity.fields()
  expect(second.anonymous_id).toBe(first.anonymous_id)
  expect(second.session_id).not.toBe(first.session_id)
})

test('a user is known to every page until the reset, after which all is new', () => {
  const { identity, open } = openVisitor()
  const before = identity.fields()
  expect(before.user_id).toBeUndefined()
  identity.setUser('7')
  expect(open().fields()).toEqual({ ...before, user_id: '7' })
  identity.reset()
  const after = open().fields()
  expect(after.user_id).toBeUndefined()
  expect(after.anonymous_id).not.toBe(before.anonymous_id)
  expect(after.session_id).not.toBe(before.session_id)
})

test('ids sort by time, tell it, and never repeat', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  const ids = Array.from({ length: 1_000 }, (_, i) => newId(nowMs + i))
  expect([...ids].sort()).toEqual(ids)
  expect(ids.map(timeOf)).toEqual(ids.map((_, i) => nowMs + i))
  expect(new Set(Array.from({ length: 10_000 }, () => newId(nowMs))).size).toBe(10_000)
})

test('consent that is required is not there until given, and leaves no trace when taken back', () => {
  const storage = new MemoryStorage()
  const store = openStore(() => storage)
  const consent = openConsent(store, { endpoint: '', consent: 'required' })
  expect([consent.isGiven(), storage.length]).toEqual([false, 0])
  consent.give()
  openIdentity(store, Date.now).fields()
  expect(openConsent(store, { endpoint: '', consent: 'required' }).isGiven()).toBe(true)
  consent.refuse()
  expect([consent.isGiven(), storage.length]).toEqual([false, 0])
})

test('consent that is not required holds until refused, which is all that is kept', () => {
  const storage = new MemoryStorage()
  const store = openStore(() => storage)
  const consent = openConsent(store, { endpoint: '' })
  expect(consent.isGiven()).toBe(true)
  openIdentity(store, Date.now).fields()
  consent.refuse()
  expect(openConsent(store, { endpoint: '' }).isGiven()).toBe(false)
  expect(store.names('')).toEqual(['consent'])
  consent.give()
  expect([consent.isGiven(), storage.length]).toEqual([true, 0])
})
