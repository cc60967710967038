import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbEventLog } from '@arus/event-log'
import { expect, test } from 'vitest'
import { ensureTopics } from './ensure-topics.ts'
import { GROUPS, readersOf, topicNames } from './topics.ts'

test('retention follows the settings, and waits for live state and lake', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-topics-'))
  const retentionHolds = readersOf(topicNames('shop'))
  const log = new LmdbEventLog({ folder, now: () => 10_000, retentionHolds })
  const settings = {
    shop: 'shop',
    kafka: null,
    partitionCount: 1,
    logRetentionMs: null,
    logRetentionBytes: null,
  }
  const { events } = await ensureTopics(log, settings)
  for (let i = 0; i < 3; i++)
    await log.append(events, [{ key: 'a', value: Buffer.alloc(5_000), timestampMs: 1 }])
  const startOf = async () => {
    await log.enforceRetention()
    return (await log.topic(events)).partitions[0]?.startOffset
  }
  for (const group of Object.values(GROUPS)) await log.commit(group, events, new Map([[0, 3]]))
  expect(await startOf()).toBe(0)
  await ensureTopics(log, { ...settings, logRetentionMs: 1_000 })
  await log.commit(GROUPS.lake, events, new Map([[0, 1]]))
  expect(await startOf()).toBe(1)
  await log.commit(GROUPS.lake, events, new Map([[0, 3]]))
  expect(await startOf()).toBe(3)
  await log.close()
  rmSync(folder, { recursive: true })
})
