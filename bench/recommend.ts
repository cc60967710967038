/** The recommender without HTTP: CPU time of an answer, with its text and its passport's, to those who did something and those who did not. */
import { createHash } from 'node:crypto'
import type { Catalogue } from '../apps/arus/src/catalogue/catalogue.ts'
import { seededRandom } from '../apps/arus/src/catalogue/seeded-random.ts'
import { readSettings } from '../apps/arus/src/config/settings.ts'
import { shopProducts } from '../apps/arus/src/events/shop-products.ts'
import { ShopperSimulation } from '../apps/arus/src/events/shoppers.ts'
import { answerText } from '../apps/arus/src/http/recommendations/answer-text.ts'
import { cursorAfter } from '../apps/arus/src/http/recommendations/cursor.ts'
import type { HistoryItem } from '../apps/arus/src/live/live-state.ts'
import type { LiveReads } from '../apps/arus/src/recommend/levels.ts'
import { passportText } from '../apps/arus/src/recommend/passport/passport-text.ts'
import type { RecommendationAnswer } from '../apps/arus/src/recommend/recommendation.ts'
import { createRecommender, type Recommender } from '../apps/arus/src/recommend/recommender.ts'
import { loadServingModel } from '../apps/arus/src/training/load-serving-model.ts'
import { openParts } from '../apps/arus/src/wiring.ts'
import { withServer } from './running-server.ts'

const PORT = 8_394
const SEED = 7
/** Of each kind. */
const NAMES = 2_000
/** Events of the simulation: some 50 for each shopper. */
const EVENTS = 100_000
const START_MS = Date.UTC(2026, 0, 1)
/** The products that the server's benchmark lets everybody look at. */
const POPULAR = 100
const POPULAR_EVENTS = 60
const SESSION_EVENTS = 3
/** Before those that count. */
const WARM_ROUNDS = 2
const ROUNDS = 7
const LIMIT = 10

/** Who asks. `isNew`: each has done something since they last asked. */
interface Kind {
  readonly name: string
  readonly title: string
  /** Of the names. */
  readonly prefix: 'u' | 'p' | 's'
  readonly isNew: boolean
}

const KINDS: readonly Kind[] = [
  { name: 'shoppers', title: 'shoppers who just did something', prefix: 'u', isNew: true },
  { name: 'popular', title: 'the same, 50 popular products each', prefix: 'p', isNew: true },
  { name: 'sessions', title: 'sessions that just did something', prefix: 's', isNew: true },
  { name: 'kept', title: 'shoppers who did nothing new', prefix: 'u', isNew: false },
]

/** Makes a generated shop of its own and measures in its folder. */
export async function benchRecommend(productCount = 100_000): Promise<void> {
  await withServer('recommend', { productCount, port: PORT }, ({ dataFolder }) => measureIn(dataFolder))
}

/** With the catalogue and the model of a shop. Prints µs of CPU, and a hash of the answers: the same hash, the same answers. */
async function measureIn(dataFolder: string, kind?: string): Promise<void> {
  const parts = openParts(readSettings({ ARUS_DATA_DIR: dataFolder }))
  try {
    const registry = await parts.registry()
    const version = await registry.production()
    if (version === null) throw new Error(`No model is in production in ${dataFolder}`)
    const model = loadServingModel(version, await registry.artefact(version.version))
    const catalogue = await parts.catalogue()
    const live = livesOf(catalogue)
    const recommender = createRecommender({
      catalogue: () => catalogue,
      live: () => live,
      model: () => model,
      onAnswer: (passport) => void Buffer.from(passportText(passport)),
      now: () => START_MS,
      uuid: () => '01939f7e-7c00-7000-8000-000000000000',
    })
    console.log(`\nRecommender without HTTP, ${catalogue.productCount.toLocaleString('en')} products`)
    for (const one of KINDS)
      if (kind === undefined || kind === one.name) await measure(one, { recommender, live })
  } finally {
    await parts.close()
  }
}

async function measure(
  { title, prefix, isNew }: Kind,
  { recommender, live }: { readonly recommender: Recommender; readonly live: BenchLive },
): Promise<void> {
  const names = Array.from({ length: NAMES }, (_, n) => `${prefix}${n}`)
  const costs: number[] = []
  const hash = createHash('sha256')
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    if (isNew) for (const name of names) live.renew(name)
    else for (const name of names) await ask(recommender, name)
    const answers: RecommendationAnswer[] = []
    const before = process.cpuUsage()
    for (const name of names) answers.push(await ask(recommender, name))
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) costs.push((user + system) / NAMES)
    for (const { recommendations, fallback, model } of answers)
      hash.update(JSON.stringify([recommendations, fallback, model?.version]))
  }
  costs.sort((a, b) => a - b)
  const [least, median, most] = [0, ROUNDS >> 1, ROUNDS - 1].map((n) => costs[n]!.toFixed(1))
  console.log(
    `  ${title.padEnd(36)} ${median} µs of CPU for an answer (${least} to ${most}), answers ${hash.digest('hex').slice(0, 12)}`,
  )
}

async function ask(recommender: Recommender, name: string): Promise<RecommendationAnswer> {
  const request = { limit: LIMIT, exclude: [], shownCount: 0 }
  const answer = await (name.startsWith('s')
    ? recommender.forSession(name, request)
    : recommender.forUser(name, request))
  answerText({ ...answer, next_cursor: cursorAfter([], answer.recommendations, LIMIT) })
  return answer
}

/** Shoppers of the simulation, shoppers who looked at popular products only, and short sessions. */
function livesOf(catalogue: Catalogue): BenchLive {
  const live = new BenchLive()
  const random = seededRandom(SEED)
  const simulation = new ShopperSimulation({
    products: shopProducts(catalogue),
    userCount: NAMES,
    eventCount: EVENTS,
    startMs: START_MS,
    endMs: START_MS + 30 * 86_400_000,
    seed: SEED,
  })
  for (const { user_id, action, product_id, ts } of simulation.events())
    if (product_id !== undefined) live.add(`u${Number(user_id) - 1}`, { product_id, action, ts })
  const popular = catalogue.popular(POPULAR).map(({ product_id }) => product_id)
  for (const [prefix, eventCount] of [['p', POPULAR_EVENTS] as const, ['s', SESSION_EVENTS] as const])
    for (let n = 0; n < NAMES; n++)
      for (let event = 0; event < eventCount; event++) {
        const product_id = popular[Math.floor(random.next() * popular.length)]!
        live.add(`${prefix}${n}`, { product_id, action: 'view', ts: START_MS + event })
      }
  return live
}

/** Live state in a map. */
class BenchLive implements LiveReads {
  readonly #lists = new Map<string, readonly HistoryItem[]>()
  #offset = 0

  add(name: string, event: Pick<HistoryItem, 'product_id' | 'action' | 'ts'>): void {
    const item = { ...event, partition: 0, offset: this.#offset++ }
    this.#lists.set(name, [item, ...(this.#lists.get(name) ?? [])])
  }

  /** The same events as another list: what live state gives after an event is another list too. */
  renew(name: string): void {
    this.#lists.set(name, [...(this.#lists.get(name) ?? [])])
  }

  async history(name: string): Promise<readonly HistoryItem[]> {
    return this.#lists.get(name) ?? []
  }

  session(name: string): Promise<readonly HistoryItem[]> {
    return this.history(name)
  }

  trending(): [] {
    return []
  }

  async goesWith(): Promise<[]> {
    return []
  }

  countRecommendation(): void {}
}

if (import.meta.main) {
  const [dataFolder, kind] = process.argv.slice(2)
  await (dataFolder === undefined ? benchRecommend() : measureIn(dataFolder, kind))
}
