import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LmdbEventLog, repairLmdbEventLog } from '../src/index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-repair-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const COUNT = 40
const valueAt = (offset: number) => `value ${offset} ${'x'.repeat(offset % 7 === 0 ? 6_000 : 300)}`

/** A log of two partitions' worth of groups: "quick" read all of it, "slow" nothing. */
async function writtenLog(): Promise<Buffer> {
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 1 })
  for (let offset = 0; offset < COUNT; offset++)
    await log.append('t', [{ key: 'k', value: Buffer.from(valueAt(offset)), timestampMs: 1_000 + offset }])
  await log.commit('quick', 't', new Map([[0, COUNT]]))
  await log.commit('slow', 't', new Map([[0, 0]]))
  await log.close()
  return readFileSync(join(folder, 'data.mdb'))
}

function damage(whole: Buffer, value: string): void {
  const bytes = Buffer.from(whole)
  for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1)) bytes[at + 7]! ^= 1
  writeFileSync(join(folder, 'data.mdb'), bytes)
}

async function readAll(): Promise<Map<number, string>> {
  const log = new LmdbEventLog({ folder })
  const found = new Map<number, string>()
  try {
    for (let at = 0; at < COUNT; ) {
      const { entries, nextOffset } = await log.read('t', 0, at, 7)
      for (const { offset, value } of entries) found.set(offset, Buffer.from(value).toString())
      expect(nextOffset).toBeGreaterThan(at)
      at = nextOffset
    }
    return found
  } finally {
    await log.close()
  }
}

test('a sound log has nothing to repair', async () => {
  await writtenLog()
  expect(await repairLmdbEventLog({ folder, isRepairing: true })).toEqual([])
  expect((await readAll()).size).toBe(COUNT)
})

test('wherever it is damaged: told first, then a gap; all else is read, appended to and erased from', async () => {
  const whole = await writtenLog()
  for (let offset = 0; offset < COUNT; offset++) {
    damage(whole, valueAt(offset))
    const told = await repairLmdbEventLog({ folder, isRepairing: false })
    expect(told).toMatchObject([
      { topic: 't', partition: 0, fault: 'its checksum is another', unreadBy: ['slow'] },
    ])
    const { fromOffset, toOffset } = told[0]!
    expect(offset).toBeGreaterThanOrEqual(fromOffset)
    expect(offset).toBeLessThan(toOffset)
    await expect(readAll()).rejects.toMatchObject({ code: 'LOG_CORRUPT' })

    const keepIn = join(folder, 'kept')
    expect(await repairLmdbEventLog({ folder, isRepairing: true, keepIn })).toEqual(told)
    expect(readdirSync(keepIn)).toEqual([`t-0-${fromOffset}-${toOffset}.block`])
    rmSync(keepIn, { recursive: true })

    const expected = Array.from({ length: COUNT }, (_, n) => n).filter((n) => n < fromOffset || n >= toOffset)
    expect(await readAll()).toEqual(new Map(expected.map((n) => [n, valueAt(n)])))
    expect(await repairLmdbEventLog({ folder, isRepairing: true })).toEqual([])
    const log = new LmdbEventLog({ folder })
    expect(await log.append('t', [{ key: 'k', value: Buffer.from('new'), timestampMs: 1 }])).toMatchObject([
      { offset: COUNT },
    ])
    expect(await log.erase('t', ({ offset }) => offset === COUNT)).toEqual({ kind: 'erased', count: 1 })
    await log.close()
  }
})
