import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importCatalogue } from '../../src/catalogue/import.ts'
import { dataFolders, readSettings, type Settings } from '../../src/config/settings.ts'
import { checkQuality } from '../../src/lake/check-quality.ts'
import { SHOPPER_PLACES } from '../../src/lake/their-rows.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { train } from '../../src/training/train.ts'
import { type OpenParts, openParts } from '../../src/wiring.ts'

/** The person who is forgotten, the names they went by, and words that only they brought. */
export const ANI = 'ani.wati@example.org'
export const ANI_NAMES: readonly string[] = [
  ANI,
  'visitor-ani-7f3',
  'old-ani-9d2',
  'sess-ani-41c',
  'sess-ani-55e',
  'sess-ani-only-asked',
]
export const ANI_WORDS: readonly string[] = [
  ...ANI_NAMES,
  'zeppelinblau',
  'gartenzwerg',
  'order-ani-1',
  'event-ani-',
  'seltsame-aktion',
]

const PRODUCTS = 40

/** A shop with its data in a folder of its own. */
export interface Shop {
  readonly folder: string
  readonly settings: Settings
  destroy(): void
}

/** With `more` of the settings, as in the environment. */
export function newShop(more: Readonly<Record<string, string>> = {}): Shop {
  const folder = mkdtempSync(join(tmpdir(), 'arus-forget-'))
  return {
    folder,
    settings: settingsIn(folder, more),
    destroy: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Settings of a shop whose data are in `folder/data`. */
export function settingsIn(folder: string, more: Readonly<Record<string, string>> = {}): Settings {
  return readSettings(
    {
      ARUS_DATA_DIR: join(folder, 'data'),
      ARUS_API_PORT: '0',
      ARUS_PARTITIONS: '3',
      ARUS_LOG_LEVEL: process.env.ARUS_LOG_LEVEL ?? 'silent',
      ...more,
    },
    folder,
  )
}

/** A server on the shop's data, in this process and the one that keeps the lake. */
export class RunningShop {
  readonly parts: OpenParts
  readonly server: Server

  private constructor(parts: OpenParts, server: Server) {
    this.parts = parts
    this.server = server
  }

  static async start({ settings }: Pick<Shop, 'settings'>): Promise<RunningShop> {
    const parts = openParts(settings)
    return new RunningShop(parts, await startServer({ parts, version: 'test', now: Date.now }))
  }

  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await fetch(this.server.apiUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return response.json()
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(this.server.apiUrl + path)).json()
  }

  /** `DELETE /users/{user_id}`. */
  async forget(
    shopper: string,
  ): Promise<{ readonly removed: Record<string, number> } & Record<string, unknown>> {
    const response = await fetch(`${this.server.apiUrl}/users/${encodeURIComponent(shopper)}`, {
      method: 'DELETE',
    })
    return (await response.json()) as { readonly removed: Record<string, number> } & Record<string, unknown>
  }

  async train(): Promise<number> {
    const { version } = await train({
      lake: await this.parts.lake(),
      registry: await this.parts.registry(),
      now: Date.now,
      onProgress: () => {},
      signal: new AbortController().signal,
      force: true,
    })
    await this.server.models.refresh()
    return version.version
  }

  async stop(): Promise<void> {
    await this.server.close()
    await this.parts.close()
  }
}

export async function importProducts({ folder, settings }: Shop): Promise<void> {
  const [productsFile, categoriesFile] = [join(folder, 'products.csv'), join(folder, 'categories.csv')]
  writeFileSync(productsFile, productsCsv())
  writeFileSync(categoriesFile, 'id,category_name\n1,Toys\n2,Books\n')
  const parts = openParts(settings)
  mkdirSync(dataFolders(settings).root, { recursive: true })
  await importCatalogue({
    productsFile,
    categoriesFile,
    lake: await parts.lake(),
    folder: dataFolders(settings).catalogue,
    now: Date.now,
  })
  await parts.close()
}

/** Several shoppers shop, by every way in; the lake is refined, a model trained, and more comes after. */
export async function shopAWhile(shop: RunningShop): Promise<void> {
  await sendOthers(shop)
  await sendAni(shop)
  await shop.server.refineNow()
  await checkQuality(await shop.parts.lake())
  await shop.train()
  await askForAni(shop)
  const more = ['B0003', 'B0007'].map((product_id) => ({
    user_id: ANI,
    action: 'purchase',
    product_id,
    event_id: `event-ani-late-${product_id}`,
  }))
  await shop.post('/stream/events', [...more, { user_id: 'budi', action: 'view', product_id: 'B0003' }])
  await shop.server.refineNow()
  const lake = await shop.parts.lake()
  for (const { table } of SHOPPER_PLACES) {
    const { name, delta } = { name: table, delta: await lake.table(table) }
    if (name !== 'bronze.rejected_events') await delta.checkpoint(await delta.snapshot())
  }
}

async function sendOthers(shop: RunningShop): Promise<void> {
  const events = Array.from({ length: 600 }, (_, i) => ({
    user_id: `user-${i % 30}`,
    session_id: `session-${i % 30}-${i % 4}`,
    action: ['view', 'click', 'add_to_cart', 'purchase'][(i * 7) % 4],
    product_id: `B${String((i * 13 + (i % 30)) % PRODUCTS).padStart(4, '0')}`,
    price: 2.5,
    ts: Date.now() - (600 - i) * 3_600_000,
  }))
  await shop.post('/stream/events', events)
  await shop.post('/stream/events', [
    { user_id: 'budi', anonymous_id: 'visitor-budi', action: 'view', product_id: 'B0001' },
    { user_id: 'budi', anonymous_id: 'kiosk', action: 'search', query: 'lampu' },
    { anonymous_id: 'kiosk', session_id: 'session-kiosk', action: 'view', product_id: 'B0002' },
    { user_id: 'budi', action: '' },
    'no event',
  ])
  await shop.get('/recommendations/user/budi?limit=5')
}

async function sendAni(shop: RunningShop): Promise<void> {
  const visitor = { anonymous_id: 'visitor-ani-7f3', session_id: 'sess-ani-41c' }
  const signedIn = { user_id: ANI, session_id: 'sess-ani-55e' }
  await shop.post(
    '/stream/events',
    [
      { ...visitor, action: 'view', product_id: 'B0001', event_id: 'event-ani-1' },
      { ...visitor, action: 'search', query: 'zeppelinblau' },
      { anonymous_id: 'old-ani-9d2', action: 'view', product_id: 'B0004' },
      { session_id: 'sess-ani-55e', action: 'view', product_id: 'B0005' },
      { ...signedIn, action: 'add_to_cart', product_id: 'B0005' },
      {
        ...signedIn,
        action: 'purchase',
        product_id: 'B0005',
        event_id: 'event-ani-3',
        order_id: 'order-ani-1',
        properties: { note: 'gartenzwerg' },
      },
      { ...signedIn, anonymous_id: 'kiosk', action: 'view', product_id: 'B0006' },
      { ...signedIn, action: '', event_id: 'event-ani-refused' },
    ],
    { 'idempotency-key': '"key-1"' },
  )
  const at = { userId: ANI, anonymousId: 'visitor-ani-7f3' }
  await shop.post('/v1/identify', { ...at, traits: { email: ANI } })
  await shop.post('/v1/track', {
    ...at,
    event: 'Product Viewed',
    properties: { product_id: 'B0002' },
    messageId: 'event-ani-2',
  })
  await shop.post('/v1/alias', { userId: ANI, previousId: 'old-ani-9d2' })
  await shop.post('/v1/batch', { batch: [{ ...at, type: 'track', properties: { note: 'gartenzwerg' } }] })
  await shop.post('/v1/track', { ...at, event: 'seltsame-aktion' })
}

async function askForAni(shop: RunningShop): Promise<void> {
  await shop.get(`/recommendations/user/${encodeURIComponent(ANI)}?limit=5&session_id=sess-ani-only-asked`)
  await shop.get('/recommendations/session/sess-ani-55e?limit=5')
  await shop.get('/recommendations/session/sess-ani-only-asked?limit=5')
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
