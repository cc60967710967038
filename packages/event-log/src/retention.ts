import { headerOf } from './block-format.ts'
import type { LmdbStore, Place, Topic } from './lmdb-store.ts'

export interface RetentionOptions {
  readonly nowMs: number
  /** By topic, groups whose committed offset nothing is removed beyond. */
  readonly holds: Readonly<Record<string, readonly string[]>>
}

/** Blocks removed in one transaction: bounds the time appends wait. */
const STEP_BLOCKS = 64

/** Removes what is past its topic's retention, oldest first, in small transactions that let appends in between. */
export async function enforceRetention(store: LmdbStore, options: RetentionOptions): Promise<void> {
  for (const { key: name, value: topic } of [...store.topics.getRange()]) {
    if (topic.retentionMs === null && topic.retentionBytes === null) continue
    for (let partition = 0; partition < topic.partitionCount; partition++) {
      while (await store.write(() => removeStep(store, { name, topic, partition }, options))) {
        // The next step.
      }
    }
  }
}

interface Named {
  readonly name: string
  readonly topic: Topic
  readonly partition: number
}

/** True when there may be more to remove. */
function removeStep(
  store: LmdbStore,
  { name, topic, partition }: Named,
  { nowMs, holds }: RetentionOptions,
): boolean {
  const place: Place = { topicId: topic.id, partition }
  const head = store.headOf(place)
  const until = Math.min(
    head.end,
    ...(holds[name] ?? []).map((group) => store.offsets.get([group, name, String(partition)]) ?? 0),
  )
  const beforeMs = topic.retentionMs === null ? Number.NEGATIVE_INFINITY : nowMs - topic.retentionMs
  let { start, bytes: sizeBytes } = head
  let removed = 0
  for (const { baseOffset, bytes } of store.blocks(place, head.start, until)) {
    const { count, newestMs } = headerOf(bytes)
    const isOver = topic.retentionBytes !== null && sizeBytes - bytes.length >= topic.retentionBytes
    if (baseOffset + count > until || (newestMs >= beforeMs && !isOver) || removed === STEP_BLOCKS) break
    store.removeBlock(place, baseOffset)
    start = baseOffset + count
    sizeBytes -= bytes.length
    removed += 1
  }
  if (removed > 0) store.putHead(place, { ...head, start, bytes: sizeBytes })
  return removed === STEP_BLOCKS
}
