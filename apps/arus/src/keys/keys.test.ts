import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ArusDatabase } from '../database/database.ts'
import { openTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { KEY_KINDS } from './api-key.ts'
import { KeyRing } from './key-ring.ts'
import { KeyStore } from './key-store.ts'
import { hashOfKeyText, idOfKeyText, isSameHash } from './key-text.ts'
import { newApiKey } from './new-key.ts'
import { isOwnOrigin, originOf } from './origin.ts'

let under: TestDatabase
let database: ArusDatabase
let store: KeyStore
let nowMs: number
beforeEach(async () => {
  under = await openTestDatabase()
  database = await under.open()
  nowMs = 1_000_000
  store = new KeyStore({ database, now: () => nowMs++ })
})
afterEach(() => under.close())

const openRing = (faults: unknown[] = []) =>
  KeyRing.open({ store, now: () => nowMs, onFault: (error) => faults.push(error) })
const fresh = (kind: (typeof KEY_KINDS)[number]) => store.create(newApiKey({ kind, name: 'test' }))

test('a key of each kind is found by its text and by no text near it', async () => {
  const created = await Promise.all(KEY_KINDS.map(fresh))
  const ring = await openRing()
  for (const { key, text } of created) {
    expect(ring.find(text)).toEqual(key)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'aA0_-: '), (place, letter) => {
        const near = text.slice(0, place) + letter + text.slice(place + 1)
        if (near !== text) expect(ring.find(near)).toBeNull()
      }),
    )
    expect(ring.find(`${text}A`)).toBeNull()
    expect(ring.find(text.slice(0, -1))).toBeNull()
    expect(ring.find(key.id)).toBeNull()
  }
  fc.assert(fc.property(fc.string(), (text) => ring.find(text) === null))
  await ring.close()
})

test('no file of the database holds the text of a key', async () => {
  const { key, text } = await fresh('admin')
  await database.destroy()
  expect([await under.holds(key.id), await under.holds(text.slice(16))]).toEqual([true, false])
})

test('ids and secrets differ from key to key', async () => {
  const texts = await Promise.all(Array.from({ length: 50 }, async () => (await fresh('public')).text))
  expect(new Set(texts.map((text) => idOfKeyText(text))).size).toBe(50)
  expect(new Set(texts.map((text) => text.slice(16))).size).toBe(50)
})

test('hashes are compared whole', () => {
  const hash = hashOfKeyText('one')
  expect(isSameHash(hash, hashOfKeyText('one'))).toBe(true)
  expect(isSameHash(hash, hashOfKeyText('two'))).toBe(false)
  expect(isSameHash(hash, hash.subarray(0, 16))).toBe(false)
})

describe('the ring', () => {
  test('sees what another process made and revoked when it looks again, and tells who listens', async () => {
    const ring = await openRing()
    const { key, text } = await fresh('secret')
    expect(ring.find(text)).toBeNull()
    await ring.refresh()
    expect(ring.find(text)).toEqual(key)
    const told: string[] = []
    ring.onRevoked(key.id, () => told.push('first'))
    ring.onRevoked(key.id, () => told.push('second'))()
    await ring.refresh()
    expect(told).toEqual([])
    await store.revoke(key.id)
    await ring.refresh()
    expect([ring.find(text), told]).toEqual([null, ['first']])
    await ring.close()
  })

  test('keeps the keys it knows while the database is gone, and says so', async () => {
    const { key, text } = await fresh('secret')
    const faults: unknown[] = []
    const ring = await openRing(faults)
    await database.destroy()
    await expect.poll(() => faults.length, { timeout: 6_000 }).toBeGreaterThan(0)
    expect(ring.find(text)).toEqual(key)
    await expect(ring.close()).rejects.toThrow()
  })

  test('writes down when keys were last used', async () => {
    const [used, idle] = [await fresh('public'), await fresh('public')]
    const ring = await openRing()
    nowMs = 5_000_000
    ring.find(used.text)
    await ring.close()
    const times = Object.fromEntries((await store.list()).map((key) => [key.id, key.last_used_at]))
    expect(times).toEqual({ [used.key.id]: 5_000_000, [idle.key.id]: null })
  })
})

test('revoking what is not there is KEY_UNKNOWN', async () => {
  await expect(store.revoke('ak_000000000000')).rejects.toMatchObject({ code: 'KEY_UNKNOWN' })
})

test('origins are those a browser would send', () => {
  for (const [text, origin] of [
    ['https://shop.example', 'https://shop.example'],
    ['HTTPS://Shop.Example:443/', 'https://shop.example'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['shop.example', null],
    ['https://shop.example/path', null],
    ['https://user@shop.example', null],
    ['file:///etc', null],
    ['*', null],
    ['null', null],
  ] as const)
    expect([text, originOf(text)]).toEqual([text, origin])
})

test('own pages come from this machine or from the host that was asked', () => {
  for (const [origin, host, isOwn] of [
    ['http://localhost:8501', '127.0.0.1:8000', true],
    ['http://[::1]:8501', 'shop.lan', true],
    ['http://shop.lan:8501', 'shop.lan:8000', true],
    ['http://shop.lan.evil.example', 'shop.lan:8000', false],
    ['http://localhost.evil.example', '127.0.0.1:8000', false],
    ['http://127.0.0.1.evil.example', '127.0.0.1:8000', false],
    ['null', '127.0.0.1:8000', false],
    ['http://evil.example', '', false],
  ] as const)
    expect([origin, host, isOwnOrigin(origin, host)]).toEqual([origin, host, isOwn])
})
