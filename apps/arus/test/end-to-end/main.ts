/**
 * The whole product as a new user meets it: `npm start` on real files and on a generated shop, every command of the
 * README, the pages in Chromium, restarts. Prints a line per step and writes the counts to ARUS_TEST_REPORT.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LiveAnalyticsBody, Recommendation } from '../../src/api-schema/index.ts'
import { ACTION_WEIGHTS } from '../../src/events/event.ts'
import { measureTaste } from './measure-taste.ts'
import { arus, freePort, type Place, RunningArus, repository } from './running-arus.ts'

/** `silver.interactions` follows `silver.events`, in a commit of its own. */
const HELD = `SELECT count(*) AS n, count(DISTINCT event_id) AS ids,
  count(*) FILTER (product_id IS NOT NULL AND action IN (${Object.entries(ACTION_WEIGHTS)
    .filter(([, weight]) => weight > 0)
    .map(([action]) => `'${action}'`)
    .join(', ')})) - (SELECT count(*) FROM silver.interactions) AS missing FROM silver.events`

const sharedData = process.env.ARUS_SHARED_DATA ?? join(repository, '..', 'shared', 'data')
const amazon = join(sharedData, 'amazon-products-2023')
const products = join(amazon, 'amazon_products.sampleA.csv.gz')
const categories = join(amazon, 'amazon_categories.csv')
const results: { readonly name: string; readonly status: 'passed' | 'failed' | 'skipped' }[] = []
const folder = mkdtempSync(join(tmpdir(), 'arus-end-to-end-'))

try {
  await generatedShop()
  if (existsSync(products)) await realShop()
  else skip(`real shop: no sample catalogue at ${products}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
finish()

/** `npm start` with nothing given, then once more on the same data. */
async function generatedShop(): Promise<void> {
  const place = await newPlace('generated')
  const startedAt = performance.now()
  const running = await step('npm start generates a shop and serves it', () =>
    RunningArus.start(place, [], 180_000),
  )
  if (running === undefined) return
  console.log(`    ready after ${seconds(startedAt)}`)
  await step('the curl lines it prints work', () => curlLines(running.output))
  await step('a known user gets personal recommendations', async () => {
    const answer = (await (
      await fetch(`${running.apiUrl}/recommendations/user/1?limit=5`)
    ).json()) as Recommendation
    expect(answer.recommendations.length === 5, `found ${JSON.stringify(answer)}`)
    expect(answer.fallback === null && answer.model !== null, `fell back to ${answer.fallback}`)
  })
  await step('shoppers, known and new, would click what it shows thrice as often as what is popular', () =>
    beatsPopularity(running),
  )
  await step('arus demo tells its story', () => succeeds(place, 'demo', '--yes'))
  await step('arus check is green', () => succeeds(place, 'check'))
  await step('the journey through the pages runs in Chromium', () => journey(running))
  await step('Ctrl-C stops it cleanly', async () => {
    await running.interrupt()
    expect(running.output.includes('Stopping'), `it did not say so: ${running.output.slice(-500)}`)
    const answers = await fetch(`${running.apiUrl}/health`).then(
      () => true,
      () => false,
    )
    expect(!answers, 'the API still answers')
  })
  const restartedAt = performance.now()
  const again = await step('a second start serves within 15 s', () =>
    RunningArus.start(place, ['--shoppers', '0'], 15_000),
  )
  console.log(`    ready after ${seconds(restartedAt)}`)
  await again?.interrupt()
  await keyedShop({ ...place, settings: { ARUS_REQUIRE_KEYS: 'true' } })
}

/** By the hidden taste of the shop's shoppers; with the lower bound of the 95 % interval. */
async function beatsPopularity({ apiUrl, place }: RunningArus): Promise<void> {
  const reports = await measureTaste({ baseUrl: apiUrl, dataFolder: place.dataDir, seed: 1, shoppers: 300 })
  for (const [who, { shoppers, timesAsMany }] of Object.entries(reports)) {
    expect(shoppers === 300, `only ${shoppers} ${who} shoppers were asked for`)
    for (const [other, { low }] of Object.entries(timesAsMany))
      expect(low > 3, `${who} shoppers click ${low.toFixed(2)} × as often as on what is ${other}, at least`)
  }
}

/** The same shop with keys required: commands and pages work with a key, and without one not at all. */
async function keyedShop(place: Place): Promise<void> {
  const running = await step('with keys required it says how to make the first', async () => {
    const started = await RunningArus.start(place, ['--shoppers', '0'], 15_000)
    await until(() => started.output.includes('arus keys create --kind admin'))
    return started
  })
  if (running === undefined) return
  const key = await step(
    'arus keys create prints a key, and the server takes it within seconds',
    async () => {
      const { out } = await arus(place, 'keys', 'create', '--kind', 'admin', '--name', 'end to end')
      const authorization = `Bearer ${out.trim()}`
      await until(async () => (await fetch(`${running.apiUrl}/keys`, { headers: { authorization } })).ok)
      return out.trim()
    },
  )
  await step('without a key nothing is told', async () => {
    expect((await fetch(`${running.apiUrl}/analytics`)).status === 401, 'figures were told')
    const { status, err } = await arus(place, 'recommend', '--user', '1')
    expect(status === 4 && err.includes('needs a secret or admin key'), `exited with ${status}: ${err}`)
  })
  const keyed = { ...place, settings: { ...place.settings, ARUS_API_KEY: key ?? '' } }
  await step('with the key arus check is green', () => succeeds(keyed, 'check'))
  await step('the dashboard asks for the key in Chromium', () =>
    inChromium('dashboard-key', {
      ARUS_KEY_JOURNEY_DASHBOARD_URL: running.dashboardUrl,
      ARUS_KEY_JOURNEY_KEY: key ?? '',
    }),
  )
  await running.interrupt()
}

/** `npm start` on the sample of Amazon Products 2023, and the commands around it. */
async function realShop(): Promise<void> {
  const place = await newPlace('real')
  const running = await step('npm start on the sample catalogue', () =>
    RunningArus.start(place, ['--products', products, '--categories', categories], 120_000),
  )
  if (running === undefined) return
  await step('arus generate sends shoppers’ events over HTTP', () =>
    succeeds(place, 'generate', '--users', '400', '--events', '20000', '--rate', '0'),
  )
  await step('arus replay plays RetailRocket', () =>
    succeeds(
      place,
      'replay',
      join(sharedData, 'retailrocket-2k', 'events.csv.gz'),
      '--mapping',
      'retailrocket',
      '--speed',
      'max',
      '--shift-to-now',
    ),
  )
  await step('the lake has every event once', () => lakeHolds(place, running))
  await step('arus train trains and decides', () => succeeds(place, 'train'))
  for (const command of [
    ['evaluate', '--models', 'popular,walk'],
    ['models'],
    ['tables'],
    ['sql', 'SELECT action, count(*) AS n FROM silver.events GROUP BY ALL ORDER BY n DESC'],
    ['doctor'],
    ['recommend', '--user', '1'],
    ['explore', products, categories],
    ['forget', '1'],
  ]) {
    await step(`arus ${command[0]}`, () => succeeds(place, ...command))
  }
  await step('arus check is green', () => succeeds(place, 'check'))
  await running.interrupt()
}

async function lakeHolds(place: Place, running: RunningArus): Promise<void> {
  const live = (await (await fetch(`${running.apiUrl}/analytics`)).json()) as LiveAnalyticsBody
  const end = performance.now() + 90_000
  let rows = 0
  let missing = 0
  while (performance.now() < end) {
    const { out } = await arus(place, 'sql', '--format', 'json', HELD)
    const [row] = JSON.parse(out)
    rows = Number(row.n)
    expect(row.n === row.ids, `silver has ${row.n} rows for ${row.ids} events`)
    missing = Number(row.missing)
    if (rows >= live.events_total && missing === 0) break
  }
  expect(rows >= live.events_total, `silver has ${rows} events, live state counted ${live.events_total}`)
  expect(missing === 0, `silver.interactions lacks ${missing}`)
}

function curlLines(output: string): void {
  const lines = [...output.matchAll(/^\s*(curl .*)$/gm)].map((match) => match[1] ?? '')
  expect(lines.length === 3, `expected three curl lines, found ${lines.length}`)
  for (const line of lines) {
    const result = spawnSync('bash', ['-c', `${line} --fail --silent --show-error --max-time 3`], {
      encoding: 'utf8',
    })
    // A stream never ends: the time limit (28) after bytes came is how it should be.
    const isStream = line.includes('/stream/analytics')
    expect(
      result.status === 0 || (isStream && result.status === 28 && result.stdout.length > 0),
      `${line}: ${result.stderr}`,
    )
  }
}

function journey(running: RunningArus): void {
  inChromium('dashboard-journey', {
    ARUS_JOURNEY_DASHBOARD_URL: running.dashboardUrl,
    ARUS_JOURNEY_API_URL: running.apiUrl,
  })
}

function inChromium(name: string, environment: Readonly<Record<string, string>>): void {
  const result = spawnSync('node', ['bin/run.mjs', 'vitest', 'run', `apps/arus/test/${name}.test.ts`], {
    cwd: repository,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  expect(
    result.status === 0 && !/\d+ skipped/.test(result.stdout),
    `${result.stdout}\n${result.stderr}`.slice(-6_000),
  )
}

async function succeeds(place: Place, ...args: readonly string[]): Promise<void> {
  const { status, out, err } = await arus(place, ...args)
  expect(status === 0, `exited with ${status}:\n${out.slice(-3_000)}\n${err.slice(-2_000)}`)
}

/** Asks again until the answer is yes; throws after 15 s. */
async function until(ask: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000
  while (!(await ask())) {
    expect(performance.now() < end, 'it did not happen within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function newPlace(name: string): Promise<Place> {
  return { dataDir: join(folder, name), apiPort: await freePort(), dashboardPort: await freePort() }
}

async function step<T>(name: string, run: () => T | Promise<T>): Promise<T | undefined> {
  const startedAt = performance.now()
  try {
    const value = await run()
    results.push({ name, status: 'passed' })
    console.log(`✓ ${name} (${seconds(startedAt)})`)
    return value
  } catch (error) {
    results.push({ name, status: 'failed' })
    console.error(`✗ ${name} (${seconds(startedAt)})\n${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

function skip(name: string): void {
  results.push({ name, status: 'skipped' })
  console.log(`- skipped ${name}`)
}

function expect(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise)
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

function finish(): void {
  const count = (status: string) => results.filter((result) => result.status === status).length
  const report = {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('skipped'),
  }
  if (process.env.ARUS_TEST_REPORT) writeFileSync(process.env.ARUS_TEST_REPORT, JSON.stringify(report))
  console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`)
  process.exitCode = report.numFailedTests > 0 ? 1 : 0
}
