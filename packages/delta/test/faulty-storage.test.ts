import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LocalStorage } from '../src/index.ts'
import { faultAt, NO_FAULTS, seededFaults } from './fault-plan.ts'
import { FaultyStorage } from './faulty-storage.ts'
import { storageContract } from './storage-contract.ts'

storageContract('a faulty storage without faults', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-storage-'))
  const root = join(folder, 'table')
  return {
    storage: new FaultyStorage(new LocalStorage(root), NO_FAULTS),
    another: new FaultyStorage(new LocalStorage(root), NO_FAULTS),
    putOutside: async (name, bytes) => {
      writeFileSync(join(folder, name), bytes)
      return pathToFileURL(join(folder, name)).href
    },
    close: async () => rmSync(folder, { recursive: true }),
  }
})

describe('a faulty storage', () => {
  let inner: LocalStorage
  beforeEach(() => {
    inner = new LocalStorage(mkdtempSync(join(tmpdir(), 'arus-storage-')))
  })
  afterEach(() => rmSync(inner.root, { recursive: true }))
  const seen = (path: string) =>
    inner.read(path).then(
      (bytes) => Buffer.from(bytes).toString(),
      () => null,
    )

  test('fails the call it is told to, before or after the fact, and no other', async () => {
    for (const [kind, code, left] of [
      ['before', 'DELTA_STORAGE_UNAVAILABLE', null],
      ['after', 'DELTA_OUTCOME_UNKNOWN', 'x'],
    ] as const) {
      const storage = new FaultyStorage(inner, faultAt('putIfAbsent', 1, kind))
      const paths = [0, 1, 2].map((i) => `${kind} ${i}`)
      expect(await storage.putIfAbsent(paths[0]!, Buffer.from('x'))).toBe('created')
      await expect(storage.putIfAbsent(paths[1]!, Buffer.from('x'))).rejects.toMatchObject({ code })
      expect(await storage.putIfAbsent(paths[2]!, Buffer.from('x'))).toBe('created')
      expect(await Promise.all(paths.map(seen))).toEqual(['x', left, 'x'])
      expect(storage.faults).toEqual([{ method: 'putIfAbsent', index: 1, kind }])
    }
  })

  test('a late write arrives after its error, and loses against one that came between', async () => {
    const storage = new FaultyStorage(inner, faultAt('putIfAbsent', 0, 'late'))
    await expect(storage.putIfAbsent('a', Buffer.from('late'))).rejects.toMatchObject({
      code: 'DELTA_OUTCOME_UNKNOWN',
    })
    await storage.settled()
    expect(await seen('a')).toBe('late')
    const other = new FaultyStorage(inner, faultAt('putIfAbsent', 0, 'late'))
    await inner.put('b', Buffer.from('between'))
    await expect(other.putIfAbsent('b', Buffer.from('late'))).rejects.toThrow()
    await other.settled()
    expect(await seen('b')).toBe('between')
  })

  test('a write that arrives twice is answered as the first was', async () => {
    const storage = new FaultyStorage(inner, faultAt('putIfAbsent', 0, 'duplicate'))
    expect(await storage.putIfAbsent('a', Buffer.from('x'))).toBe('created')
    expect(await storage.putIfAbsent('a', Buffer.from('y'))).toBe('exists')
    expect(await seen('a')).toBe('x')
  })

  test('a torn publish leaves a file cut short, and says that it failed', async () => {
    const storage = new FaultyStorage(inner, faultAt('publish', 0, 'tear'))
    for (const path of ['a', 'b']) writeFileSync(storage.localPath(path), '12345678')
    await expect(storage.publish(['a', 'b'])).rejects.toMatchObject({ code: 'DELTA_STORAGE_UNAVAILABLE' })
    expect([readFileSync(inner.localPath('a'), 'utf8'), readFileSync(inner.localPath('b'), 'utf8')]).toEqual([
      '12345678',
      '1234',
    ])
  })

  test('the same seed plans the same faults, another seed others, about the share asked for', () => {
    const plan = (seed: number) => {
      const next = seededFaults(seed, { share: 0.25, kinds: ['before', 'after'] })
      return Array.from({ length: 1_000 }, (_, i) => next('read', i))
    }
    expect(plan(1)).toEqual(plan(1))
    expect(plan(1)).not.toEqual(plan(2))
    expect(Math.abs(plan(1).filter((kind) => kind !== null).length - 250)).toBeLessThan(50)
  })
})
