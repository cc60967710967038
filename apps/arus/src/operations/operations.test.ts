import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { overallStatus, probeSlots } from './health.ts'
import { RequestStatistics } from './request-statistics.ts'
import { lockServer } from './server-lock.ts'
import { folderSizeBytes } from './storage-sizes.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-operations-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('request statistics', () => {
  test('rates count whole seconds of the last ten, quantiles the newest samples', () => {
    let nowMs = 1_000_000_000
    const statistics = new RequestStatistics(() => nowMs)
    for (let i = 1; i <= 100; i++) statistics.record(i, i === 100 ? 503 : 200)
    nowMs += 1_000
    expect(statistics.figures()).toEqual({
      requestsPerSecond: 10,
      latencyMsP50: 51,
      latencyMsP99: 100,
      errorsPerMinute: 1,
    })
    nowMs += 60_000
    expect(statistics.figures()).toMatchObject({ requestsPerSecond: 0, errorsPerMinute: 0 })
  })

  test('with nothing recorded there is no latency', () => {
    expect(new RequestStatistics(Date.now).figures().latencyMsP50).toBeNull()
  })
})

describe('server lock', () => {
  test('a second server on the same folder is refused, and may start after the release', () => {
    const file = join(folder, 'server.lock')
    const release = lockServer(file)
    expect(() => lockServer(file)).toThrow(expect.objectContaining({ code: 'ALREADY_RUNNING' }))
    release()
    lockServer(file)()
  })

  test('the lock of a process that was killed is free', async () => {
    const file = join(folder, 'server.lock')
    const source = `
      import { lockServer } from ${JSON.stringify(join(import.meta.dirname, 'server-lock.ts'))}
      // Kept, as the server keeps it: a lock nobody holds is closed by the garbage collector.
      globalThis.release = lockServer(${JSON.stringify(file)})
      process.stdout.write('locked')
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    expect(() => lockServer(file)).toThrow(/already runs/)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    lockServer(file)()
  })
})

describe('health', () => {
  const probe = (slot: string, isHealthy: () => Promise<boolean>) => ({
    slot,
    adapter: 'a',
    detail: 'd',
    isHealthy,
  })

  test('a probe that says no or throws is down; the others still answer', async () => {
    const slots = await probeSlots([
      probe('event log', async () => true),
      probe('sql', async () => false),
      probe('database', async () => Promise.reject(new RangeError('broken'))),
    ])
    expect(slots.map((slot) => slot.status)).toEqual(['ok', 'down', 'down'])
    expect(overallStatus(slots, true)).toBe('degraded')
  })

  test('only the loss of the event log takes the whole down', async () => {
    const slots = await probeSlots([probe('event log', async () => false)])
    expect(overallStatus(slots, true)).toBe('down')
    expect(overallStatus([], true)).toBe('ok')
    expect(overallStatus([], false)).toBe('degraded')
  })
})

test('folder size counts nested files, and nothing for a folder that is not there', async () => {
  writeFileSync(join(folder, 'a.bin'), Buffer.alloc(10_000))
  expect(await folderSizeBytes(folder)).toBeGreaterThanOrEqual(10_000)
  expect(await folderSizeBytes(join(folder, 'none'))).toBe(0)
})
