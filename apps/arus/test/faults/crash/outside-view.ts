import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EventLog, openLmdbEventLog } from '@arus/event-log'
import { dataFolders, readSettings } from '../../../src/config/settings.ts'
import { topicNames } from '../../../src/events/topics.ts'
import { openLmdbStateStore } from '../../../src/state/lmdb-state-store.ts'
import type { Ledger } from './ledger.ts'

const BRONZE_DEADLINE_MS = 30_000
const SQL_ROWS = 10_000

/** What the log holds, read by a process of our own: marks with their places, and how many of each shopper. */
export class OutsideView {
  readonly wrong: string[] = []
  readonly #folders: ReturnType<typeof dataFolders>
  readonly #topic: string
  readonly #next = new Map<number, number>()
  readonly #places = new Map<string, string>()
  readonly #perShopper = new Map<string, number>()
  readonly #lastOfShopper = new Map<string, number>()

  constructor(dataDir: string) {
    const settings = readSettings({ ARUS_DATA_DIR: dataDir }, dataDir)
    this.#folders = dataFolders(settings)
    this.#topic = topicNames(settings.shop).events
  }

  get eventCount(): number {
    return this.#places.size
  }

  /** Reads on in the log: each event once, a shopper's in the order they were sent, all that was acknowledged there. */
  async readLog(ledger: Ledger): Promise<void> {
    const log = await openLmdbEventLog({ folder: this.#folders.log })
    try {
      for (const { partition, endOffset } of (await log.topic(this.#topic)).partitions)
        await this.#readPartition(log, partition, endOffset)
    } finally {
      await log.close()
    }
    for (const mark of ledger.acknowledged)
      if (!this.#places.has(mark)) this.wrong.push(`${mark} was acknowledged and is not in the log`)
  }

  /** True when a kill came between the log and live state: the offsets of live state stand before the log's end. */
  async isLiveBehind(): Promise<boolean> {
    const state = await openLmdbStateStore({ folder: this.#folders.state })
    const log = await openLmdbEventLog({ folder: this.#folders.log })
    try {
      for (const { partition, endOffset } of (await log.topic(this.#topic)).partitions)
        if (Number((await state.get(`live/offset/${partition}`)) ?? 0) < endOffset) return true
      return false
    } finally {
      await log.close()
      await state.close()
    }
  }

  /** Marks of these that are in the log, as far as it was read. */
  has(mark: string): boolean {
    return this.#places.has(mark)
  }

  /** Live figures, just after the start: they must stand for what the log holds. */
  async checkLive(apiUrl: string, random: () => number): Promise<void> {
    const { events_total } = (await (await fetch(`${apiUrl}/analytics`)).json()) as { events_total: number }
    if (events_total !== this.eventCount)
      this.wrong.push(`live state counts ${events_total} events, the log holds ${this.eventCount}`)
    const shoppers = [...this.#perShopper]
    const [shopper, count] = shoppers[Math.floor(random() * shoppers.length)] ?? ['nobody', 0]
    const response = await fetch(`${apiUrl}/users/${shopper}`)
    const { events } = response.ok ? ((await response.json()) as { events: number }) : { events: 0 }
    if (events !== count) this.wrong.push(`${shopper} has ${events} events, the log holds ${count}`)
  }

  /** Waits until bronze holds as many rows as the log entries: each id and each place once, and never too many. */
  async checkBronze(apiUrl: string): Promise<void> {
    const end = performance.now() + BRONZE_DEADLINE_MS
    for (;;) {
      const [row] = await sql(
        apiUrl,
        `SELECT count(*)::INT, count(DISTINCT order_id)::INT, count(DISTINCT (log_partition, log_offset))::INT
         FROM bronze.events`,
      )
      const [rows = 0, marks, places] = (row ?? []) as number[]
      const isLate = performance.now() > end
      if (rows !== marks || rows !== places || rows > this.eventCount || (isLate && rows < this.eventCount)) {
        this.wrong.push(
          `bronze has ${rows} rows of ${marks} events at ${places} places, the log holds ${this.eventCount}`,
        )
        return
      }
      if (rows === this.eventCount) return
      await sleep(100)
    }
  }

  /** Row by row: bronze is the log; silver holds as many. */
  async checkLakeWhole(apiUrl: string): Promise<void> {
    await this.checkBronze(apiUrl)
    const found = new Map<string, string>()
    for (const partition of this.#next.keys())
      for (let from = 0; from < (this.#next.get(partition) ?? 0); from += SQL_ROWS) {
        const rows = await sql(
          apiUrl,
          `SELECT order_id, log_offset::INT FROM bronze.events
           WHERE log_partition = ${partition} AND log_offset >= ${from} AND log_offset < ${from + SQL_ROWS}`,
        )
        for (const [mark, offset] of rows) found.set(String(mark), `${partition}/${offset}`)
      }
    for (const [mark, place] of this.#places)
      if (found.get(mark) !== place) this.wrong.push(`${mark} is at ${place}, in bronze ${found.get(mark)}`)
    const end = performance.now() + BRONZE_DEADLINE_MS
    let row: unknown[] | undefined
    do {
      ;[row] = await sql(apiUrl, 'SELECT count(*)::INT, count(DISTINCT event_id)::INT FROM silver.events')
      if (row?.[0] === this.eventCount && row[1] === this.eventCount) return
      await sleep(200)
    } while (performance.now() < end)
    this.wrong.push(`silver has ${row?.[0]} rows of ${row?.[1]} events, the log holds ${this.eventCount}`)
  }

  /** Data files of the lake written since then that no commit names, and temporary files: what a kill left half done. */
  leftOvers(sinceMs: number): string[] {
    const paths = readdirSync(this.#folders.lake, { recursive: true, encoding: 'utf8' })
    const recent = paths.filter((path) => modifiedMs(join(this.#folders.lake, path)) >= sinceMs)
    const named = recent
      .filter((path) => /_delta_log.\d+\.json$/.test(path))
      .map((path) => readFileSync(join(this.#folders.lake, path), 'utf8'))
      .join('\n')
    return recent.filter((path) => {
      if (path.includes('.tmp-')) return true
      const name = path.split(/[\\/]/).at(-1) ?? ''
      return name.endsWith('.parquet') && !path.includes('_delta_log') && !named.includes(name)
    })
  }

  async #readPartition(log: EventLog, partition: number, endOffset: number): Promise<void> {
    let from = this.#next.get(partition) ?? 0
    if (endOffset < from) this.wrong.push(`partition ${partition} ended at ${from}, now at ${endOffset}`)
    while (from < endOffset) {
      const { entries, nextOffset } = await log.read(this.#topic, partition, from, 10_000)
      for (const { offset, value } of entries)
        this.#take(JSON.parse(Buffer.from(value).toString()), `${partition}/${offset}`)
      from = nextOffset
    }
    this.#next.set(partition, Math.max(from, endOffset))
  }

  #take({ order_id: mark, user_id }: { order_id: string; user_id: string }, place: string): void {
    const number = Number(mark.split('.')[1])
    const known = this.#places.get(mark)
    if (known !== undefined) this.wrong.push(`${mark} stands in the log at ${known} and at ${place}`)
    else if (number <= (this.#lastOfShopper.get(user_id) ?? -1))
      this.wrong.push(`${mark} of ${user_id} comes after ${this.#lastOfShopper.get(user_id)}`)
    this.#places.set(mark, place)
    this.#lastOfShopper.set(user_id, number)
    this.#perShopper.set(user_id, (this.#perShopper.get(user_id) ?? 0) + 1)
  }
}

async function sql(apiUrl: string, text: string): Promise<unknown[][]> {
  const response = await fetch(`${apiUrl}/sql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql: text }),
  })
  if (!response.ok) throw new Error(`${text} was answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { rows: unknown[][] }).rows
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
