import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog } from '@arus/event-log'
import type { ShopEvent } from '../../src/events/event.ts'
import { freePort, RunningArus } from '../end-to-end/running-arus.ts'

const PRODUCTS = 40
const START_MS = 120_000
const ARRIVE_MS = 15_000

/** An Arus of the test's own, started as a user does, on a catalogue of 40 products, and a look into its log. */
export class OwnArus {
  readonly #folder: string
  readonly #running: RunningArus
  readonly #log: EventLog

  private constructor(folder: string, running: RunningArus, log: EventLog) {
    this.#folder = folder
    this.#running = running
    this.#log = log
  }

  static async start(): Promise<OwnArus> {
    const folder = mkdtempSync(join(tmpdir(), 'arus-storefront-'))
    const products = join(folder, 'products.csv')
    const categories = join(folder, 'categories.csv')
    writeFileSync(products, productsCsv())
    writeFileSync(categories, 'id,category_name\n1,Toys\n2,Books\n')
    const dataDir = join(folder, 'data')
    const place = { dataDir, apiPort: await freePort(), dashboardPort: await freePort() }
    const args = ['--products', products, '--categories', categories, '--no-dashboard', '--shoppers', '0']
    const running = await RunningArus.start(place, args, START_MS)
    return new OwnArus(folder, running, await openLmdbEventLog({ folder: join(dataDir, 'shop', 'log') }))
  }

  get url(): string {
    return this.#running.apiUrl
  }

  /** Every event in the log, in order of receipt. */
  async events(): Promise<readonly ShopEvent[]> {
    const { partitions } = await this.#log.topic('shop.events')
    const found: ShopEvent[] = []
    for (const { partition } of partitions) {
      const { entries } = await this.#log.read('shop.events', partition, 0, 100_000)
      found.push(...entries.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as ShopEvent))
    }
    return found.sort((a, b) => a.received_at - b.received_at || a.ts - b.ts)
  }

  /** Waits for events of a visitor that `isEnough` accepts; fails with what there is. */
  async eventsOf(
    isTheirs: (event: ShopEvent) => boolean,
    isEnough: (events: readonly ShopEvent[]) => boolean,
  ): Promise<readonly ShopEvent[]> {
    const end = performance.now() + ARRIVE_MS
    for (;;) {
      const events = (await this.events()).filter(isTheirs)
      if (isEnough(events)) return events
      if (performance.now() > end)
        throw new Error(`these events are not enough: ${JSON.stringify(events, null, 1)}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(this.url + path)).json()
  }

  async stop(): Promise<void> {
    await this.#log.close()
    await this.#running.interrupt()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function productsCsv(): string {
  const rows = Array.from({ length: PRODUCTS }, (_, i) => {
    const id = `B${String(i).padStart(4, '0')}`
    return `${id},Thing number ${i},,,4.5,${1_000 - i},${i + 1}.50,0,${1 + (i % 2)},False,${500 - i}`
  })
  const header =
    'asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth'
  return `${[header, ...rows].join('\n')}\n`
}
