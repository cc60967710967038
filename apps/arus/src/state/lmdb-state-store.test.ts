import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { expect, test } from 'vitest'
import { openLmdbStateStore } from './lmdb-state-store.ts'
import { stateStoreContract } from './state-store-contract.ts'

stateStoreContract('LMDB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-state-'))
  return {
    open: (now) => openLmdbStateStore({ folder, now }),
    destroy: async () => rmSync(folder, { recursive: true }),
  }
})

test('kill -9 leaves whole commits: both keys of a pair, and all that was acknowledged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-state-'))
  let acknowledged = 0
  for (let cycle = 0; cycle < 6; cycle++) {
    const source = `
      import { openLmdbStateStore } from ${JSON.stringify(join(import.meta.dirname, 'lmdb-state-store.ts'))}
      const store = await openLmdbStateStore({ folder: ${JSON.stringify(folder)} })
      for (let i = ${acknowledged} + 1; ; i++) {
        const many = Array.from({ length: 2_000 }, (_, n) => ({ key: 'm' + n, value: 'x'.repeat(100) + i }))
        await store.commit([{ key: 'left', value: i }, ...many, { key: 'right', value: i }])
        process.stdout.write(i + '\\n')
      }`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      acknowledged = Number((chunk as string).trim().split('\n').at(-1))
      if (acknowledged > 20 * (cycle + 1)) break
    }
    child.kill('SIGKILL')
    if (child.signalCode === null) await once(child, 'exit')
    const store = await openLmdbStateStore({ folder })
    const [left, right] = await store.getMany(['left', 'right'])
    expect(left).toBe(right)
    expect(Number(left)).toBeGreaterThanOrEqual(acknowledged)
    acknowledged = Number(left)
    await store.close()
  }
  rmSync(folder, { recursive: true })
})

test('values past their time are removed in steps, those written again stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-state-'))
  let nowMs = Date.now()
  const store = await openLmdbStateStore({ folder, now: () => nowMs })
  const expiring = Array.from({ length: 6_000 }, (_, i) => ({
    key: `k${i}`,
    value: i,
    expiresAtMs: nowMs + 1_000,
  }))
  await store.commit(expiring)
  await store.commit([
    { key: 'k7', value: 'again', expiresAtMs: nowMs + 60_000 },
    { key: 'k8', value: 'kept' },
  ])
  nowMs += 2_000
  await store.expire()
  nowMs -= 2_000
  const left = []
  for await (const { key } of store.scan('k')) left.push(key)
  expect(left.sort()).toEqual(['k7', 'k8'])
  await store.close()
  rmSync(folder, { recursive: true })
})

test('a value written a thousand times with one expiry is listed once, and still goes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-state-'))
  let nowMs = Date.now()
  const store = await openLmdbStateStore({ folder, now: () => nowMs })
  const expiresAtMs = nowMs + 30_000
  for (let i = 0; i < 1_000; i++) await store.commit([{ key: 'k', value: i, expiresAtMs }])
  expect(await store.expiryListCount()).toBe(1)
  nowMs += 31_000
  await store.expire()
  expect([await store.get('k'), await store.expiryListCount()]).toEqual([undefined, 0])
  await store.close()
  rmSync(folder, { recursive: true })
})

test('values of an earlier form are dropped, not misread', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-state-'))
  const before = open({ path: folder, maxDbs: 4 })
  await before.openDB({ name: 'values' }).put('live-format', ['old', 0])
  await before.close()
  const store = await openLmdbStateStore({ folder })
  expect(await store.get('live-format')).toBeUndefined()
  await store.commit([{ key: 'a', value: 1 }])
  await store.close()
  const again = await openLmdbStateStore({ folder })
  expect(await again.get('a')).toBe(1)
  await again.close()
  rmSync(folder, { recursive: true })
})

test('erased keys and values, and what they were before, stand in no file: not as separators, lists or remains either', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-state-'))
  const state = join(folder, 'state')
  const store = await openLmdbStateStore({ folder: state })
  const holding = (text: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
      .map(({ name }) => name)
  for (let round = 0; round < 20; round++) {
    const changes = Array.from({ length: 300 }, (_, i) => ({
      key: i % 3 === 0 ? `shopper/secret-${i}` : `shopper/other-${i}`,
      value: `${i % 3 === 0 ? 'secret' : 'other'} word ${round} `.repeat(1 + ((i * 7 + round) % 9)),
      expiresAtMs: Date.now() + 60_000 + round,
    }))
    await store.commit(changes)
  }
  await store.commit(
    Array.from({ length: 100 }, (_, i) => ({ key: `shopper/secret-${3 * i}`, value: undefined })),
  )
  expect(holding('secret')).toEqual(['data.mdb'])
  expect(await store.erase((key) => key.includes('secret'))).toBe(0)
  expect(holding('secret')).toEqual([])
  expect(holding('other-1').length).toBe(1)
  expect(await store.get('shopper/other-1')).toContain('other word 19')
  await store.close()
  // A swap that was cut short after its first half.
  cpSync(state, `${state}-next`, { recursive: true })
  renameSync(state, `${state}-previous`)
  const again = await openLmdbStateStore({ folder: state })
  expect(await again.get('shopper/other-1')).toContain('other word 19')
  await again.erase(() => false)
  expect(readdirSync(folder)).toEqual(['state'])
  await again.close()
  rmSync(folder, { recursive: true })
})
