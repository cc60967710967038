import { expect } from 'vitest'
import type { Health, LiveAnalyticsBody } from '../../src/api-schema/index.ts'
import { type Load, until } from './load.ts'

/** Questions to a server, which may be another one after a restart. */
export class Asking {
  readonly #apiUrl: () => string

  constructor(apiUrl: () => string) {
    this.#apiUrl = apiUrl
  }

  get(path: string): Promise<Response> {
    return fetch(this.#apiUrl() + path)
  }

  /** Also of a server that says it is down. */
  async health(): Promise<Health> {
    return (await (await this.get('/health')).json()) as Health
  }

  async liveCount(): Promise<number> {
    return ((await (await this.get('/analytics')).json()) as LiveAnalyticsBody).events_total
  }

  async products(): Promise<string[]> {
    const rows = await this.sql('SELECT product_id FROM silver.products ORDER BY product_id LIMIT 20')
    return rows.map(([id]) => String(id))
  }

  async sql(text: string): Promise<unknown[][]> {
    const response = await fetch(`${this.#apiUrl()}/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: text }),
    })
    if (!response.ok) throw new Error(`${text} was answered ${response.status}: ${await response.text()}`)
    return ((await response.json()) as { rows: unknown[][] }).rows
  }

  /** Waits until each event that was acknowledged to a load that has stopped is in live state, bronze and silver; fails where one counts twice. */
  async expectCounted(
    load: Load,
    { before, withinMs }: { readonly before: number; readonly withinMs: number },
  ) {
    expect(new Set(load.refusals)).toEqual(new Set(['1']))
    expect(load.wrong).toEqual([])
    const accepted = load.acknowledged.size
    await until(async () => (await this.liveCount()) - before === accepted, withinMs)
    const bronze = `SELECT count(DISTINCT event_id)::INT, (count(*) - count(DISTINCT (log_partition, log_offset)))::INT
      FROM bronze.events WHERE event_id LIKE 'load-%'`
    await until(async () => (await this.sql(bronze))[0]?.[0] === accepted, withinMs)
    expect(await this.sql(bronze)).toEqual([[accepted, 0]])
    const silver = `SELECT count(*)::INT FROM silver.events WHERE event_id LIKE 'load-%'`
    await until(async () => (await this.sql(silver))[0]?.[0] === accepted, withinMs)
  }
}
