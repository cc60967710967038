import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbEventLog } from '../packages/event-log/src/index.ts'
import { printComparisons } from './measure.ts'

const VALUE = Buffer.alloc(200, 'x')
const SECONDS = 3
const PRODUCERS = 16

/** Durable appends of the embedded log against a bare file that is appended to and synced in the same groups. */
export async function benchEvents(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-log-'))
  try {
    const log = await openLmdbEventLog({ folder: join(folder, 'log') })
    await log.ensureTopic('t', { partitionCount: 4 })
    const append = (size: number) => async (lane: number) => {
      const records = Array.from({ length: size }, (_, i) => ({
        key: `user-${lane}-${i}`,
        value: VALUE,
        timestampMs: 1,
      }))
      await log.append('t', records)
    }
    const single = await perSecond(append(1), 1)
    const batched = await perSecond(append(100), 100)
    await log.close()
    printComparisons('Durable appends, 200 bytes, 16 producers', [
      {
        what: 'single, events/s',
        ours: single,
        theirs: bareFile(folder, PRODUCERS),
        unit: '/s',
        budget: '≥ 0.33',
      },
      {
        what: 'batches of 100, events/s',
        ours: batched,
        theirs: bareFile(folder, PRODUCERS * 100),
        unit: '/s',
        budget: '≥ 0.33',
      },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Each producer waits for its acknowledgement before it sends again. */
async function perSecond(send: (lane: number) => Promise<void>, size: number): Promise<number> {
  const end = performance.now() + SECONDS * 1000
  let sent = 0
  await Promise.all(
    Array.from({ length: PRODUCERS }, async (_, lane) => {
      while (performance.now() < end) {
        await send(lane)
        sent += size
      }
    }),
  )
  return sent / SECONDS
}

function bareFile(folder: string, groupSize: number): number {
  const file = openSync(join(folder, 'bare.log'), 'a')
  const end = performance.now() + SECONDS * 1000
  const group = Buffer.concat(Array.from({ length: groupSize }, () => VALUE))
  let written = 0
  while (performance.now() < end) {
    writeSync(file, group)
    fdatasyncSync(file)
    written += groupSize
  }
  closeSync(file)
  return written / SECONDS
}

if (import.meta.main) await benchEvents()
