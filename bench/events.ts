import assert from 'node:assert/strict'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog } from '../packages/event-log/src/index.ts'
import { type Comparison, printComparisons } from './measure.ts'

const VALUE_BYTES = 200
const PRODUCERS = 16
const ROUNDS = 7
const TOPIC = 't'
/** `f_type` of tmpfs, where a sync costs nothing and this comparison would mean nothing (statfs(2)). */
const TMPFS_MAGIC = 0x01021994

interface Workload {
  readonly what: string
  readonly batchSize: number
  /** Appends each producer makes in a round, one after the other. */
  readonly appendsPerProducer: number
}

const WORKLOADS: readonly Workload[] = [
  { what: 'single, events/s', batchSize: 1, appendsPerProducer: 1_000 },
  { what: 'batches of 100, events/s', batchSize: 100, appendsPerProducer: 100 },
]

/** One run of a workload on the log: its rate, and how many events each commit held. */
interface LogRun {
  readonly eventsPerSecond: number
  readonly groupSizes: readonly number[]
}

/**
 * Durable appends of the embedded log against a bare file that writes as many values in the same groups, each group
 * followed by `fdatasync`. Fixed work, a warm-up, then rounds in which the two take turns to go first; medians, and
 * the lowest and highest ratio of a round. The file holds values only: no keys, partitions, offsets or index.
 */
export async function benchEvents(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-log-'))
  try {
    assert(
      statfsSync(folder).type !== TMPFS_MAGIC,
      `${folder} is in memory: set TMPDIR to a folder on a disk`,
    )
    const comparisons: Comparison[] = []
    const details: string[] = []
    for (const workload of WORKLOADS) {
      const { comparison, detail } = await compare(folder, workload)
      comparisons.push(comparison)
      details.push(detail)
    }
    printComparisons(`Durable appends, ${VALUE_BYTES} bytes, ${PRODUCERS} producers`, comparisons)
    console.log(details.join('\n'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function compare(
  folder: string,
  workload: Workload,
): Promise<{ comparison: Comparison; detail: string }> {
  const log = await openLmdbEventLog({ folder: join(folder, `log-${workload.batchSize}`) })
  const file = openSync(join(folder, `bare-${workload.batchSize}.log`), 'a')
  try {
    await log.ensureTopic(TOPIC, { partitionCount: 4 })
    let { groupSizes } = await appendToLog(log, workload)
    appendToFile(file, groupSizes)
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // The file repeats the grouping of the log's latest run, so either may go first.
      if (round % 2 === 1) theirs.push(appendToFile(file, groupSizes))
      const run = await appendToLog(log, workload)
      ours.push(run.eventsPerSecond)
      groupSizes = run.groupSizes
      if (round % 2 === 0) theirs.push(appendToFile(file, groupSizes))
    }
    await assertHolds(log, (ROUNDS + 1) * eventCountOf(workload))
    const ratios = ours.map((rate, round) => rate / theirs[round]!).sort((a, b) => a - b)
    const { what } = workload
    return {
      comparison: { what, ours: median(ours), theirs: median(theirs), unit: '/s', budget: '≥ 0.33' },
      detail:
        `  ${what}: ratio ${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)} over ${ROUNDS} rounds of ` +
        `${eventCountOf(workload).toLocaleString('en')} events; median commit held ${median(groupSizes)} events`,
    }
  } finally {
    closeSync(file)
    await log.close()
  }
}

/** Each producer waits for its acknowledgement before it sends again. */
async function appendToLog(log: EventLog, { batchSize, appendsPerProducer }: Workload): Promise<LogRun> {
  const batches = Array.from({ length: PRODUCERS }, (_, lane) => recordsOf(lane, batchSize))
  const groupSizes: number[] = []
  let isSameTurn = false
  /** A commit resolves all its appends in one turn of the event loop, so acknowledgements of a turn are a group. */
  const countAcknowledged = () => {
    if (!isSameTurn) {
      isSameTurn = true
      groupSizes.push(0)
      setImmediate(() => {
        isSameTurn = false
      })
    }
    groupSizes[groupSizes.length - 1]! += batchSize
  }
  const startedAt = performance.now()
  await Promise.all(
    batches.map(async (records) => {
      for (let i = 0; i < appendsPerProducer; i++) {
        await log.append(TOPIC, records)
        countAcknowledged()
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  return { eventsPerSecond: (PRODUCERS * appendsPerProducer * batchSize) / seconds, groupSizes }
}

function recordsOf(lane: number, count: number): { key: string; value: Uint8Array; timestampMs: number }[] {
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  return Array.from({ length: count }, (_, i) => ({ key: `user-${lane}-${i}`, value, timestampMs: 1 }))
}

/** Events per second of a file that is appended to and synced, one write and one sync per group. */
function appendToFile(file: number, groupSizes: readonly number[]): number {
  const values = Buffer.alloc(Math.max(...groupSizes) * VALUE_BYTES, 'x')
  let written = 0
  const startedAt = performance.now()
  for (const size of groupSizes) {
    assert.equal(writeSync(file, values, 0, size * VALUE_BYTES), size * VALUE_BYTES)
    fdatasyncSync(file)
    written += size
  }
  return written / ((performance.now() - startedAt) / 1000)
}

/** What was acknowledged is there, no more and no less: a fast log that loses events has no rate. */
async function assertHolds(log: EventLog, eventCount: number): Promise<void> {
  const { partitions } = await log.topic(TOPIC)
  const held = partitions.reduce((total, { startOffset, endOffset }) => total + endOffset - startOffset, 0)
  assert.equal(held, eventCount, `The log acknowledged ${eventCount} events and holds ${held}`)
}

function eventCountOf({ batchSize, appendsPerProducer }: Workload): number {
  return PRODUCERS * appendsPerProducer * batchSize
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

if (import.meta.main) await benchEvents()
