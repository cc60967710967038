import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Of } from '../artefact-hash.ts'
import { ArtefactCache } from './artefact-cache.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-artefacts-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const artefact = (byte: number) => new Uint8Array(100).fill(byte)

test('the longest unused copies go, and what was read lately stays', async () => {
  let now = 1_000_000
  const cache = new ArtefactCache({ folder, sizeBytesMax: 250, now: () => (now += 60_000) })
  const shas = [1, 2, 3].map((byte) => sha256Of([artefact(byte)]))
  await cache.put(shas[0]!, [artefact(1)])
  await cache.get(shas[0]!)
  await cache.put(shas[1]!, [artefact(2)])
  await cache.get(shas[1]!)
  await cache.get(shas[0]!)
  await cache.put(shas[2]!, [artefact(3)])
  expect(await Promise.all(shas.map(async (sha) => (await cache.get(sha))?.[0] ?? null))).toEqual([
    1,
    null,
    3,
  ])
})

test('one that is larger than all may be is kept until the next comes', async () => {
  const cache = new ArtefactCache({ folder, sizeBytesMax: 10 })
  for (const byte of [1, 2]) {
    await cache.put(sha256Of([artefact(byte)]), [artefact(byte)])
    expect(new Uint8Array((await cache.get(sha256Of([artefact(byte)])))!)).toEqual(artefact(byte))
  }
  expect(readdirSync(folder)).toHaveLength(1)
})

test('a copy that was changed is no copy, and is removed', async () => {
  const cache = new ArtefactCache({ folder, sizeBytesMax: 1_000 })
  const sha = sha256Of([artefact(1)])
  await cache.put(sha, [artefact(1)])
  writeFileSync(join(folder, `${sha}.model`), 'changed')
  expect(await cache.get(sha)).toBeNull()
  expect(readdirSync(folder)).toEqual([])
})
