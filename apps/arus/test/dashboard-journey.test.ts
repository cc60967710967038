import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

/**
 * A person's way through the dashboard of a running Arus, in real Chromium. The addresses come from the environment,
 * so that the journey runs against whatever `npm start` made.
 */
const dashboardUrl = process.env.ARUS_JOURNEY_DASHBOARD_URL
const apiUrl = process.env.ARUS_JOURNEY_API_URL
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

function reasonToSkip(): string | null {
  if (!dashboardUrl || !apiUrl)
    return 'ARUS_JOURNEY_DASHBOARD_URL and ARUS_JOURNEY_API_URL name no running Arus'
  if (!existsSync(executablePath))
    return `there is no Chromium at ${executablePath} (CHROMIUM_PATH names another)`
  return null
}

const skipReason = reasonToSkip()
const WAIT_MS = 20_000
vi.setConfig({ testTimeout: 120_000 })
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** Run in the page: controls and pictures that a screen reader has no name for. */
const NAMELESS = `[...document.querySelectorAll('button, a, input, select, [role="img"]')]
  .filter((element) => {
    const name = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent
    return (name ?? '').trim() === ''
  })
  .map((element) => element.outerHTML.slice(0, 120))`

/** Each page with its name in both languages, and what must show a real figure. */
const PAGES = [
  { path: '/', english: 'Summary', indonesian: 'Ringkasan', figure: '.figure-value' },
  {
    path: '/recommendations',
    english: 'Recommendations',
    indonesian: 'Rekomendasi',
    figure: '.product-facts',
  },
  { path: '/funnel', english: 'Funnel', indonesian: 'Corong', figure: '.funnel-count' },
  { path: '/retention', english: 'Retention', indonesian: 'Retensi', figure: '.cohorts td.number' },
  { path: '/attribution', english: 'Attribution', indonesian: 'Atribusi', figure: '.figure-value' },
  { path: '/timeline', english: 'Timeline', indonesian: 'Lini masa', figure: '.figure-value' },
  { path: '/heatmap', english: 'Heatmap', indonesian: 'Peta panas', figure: '.card .chart[aria-label]' },
  { path: '/trends', english: 'Trends', indonesian: 'Tren', figure: 'td.number' },
  { path: '/rules', english: 'Rules', indonesian: 'Aturan', figure: '.figure-value' },
  { path: '/system', english: 'System', indonesian: 'Sistem', figure: '.figure-value' },
] as const

describe.skipIf(skipReason !== null)(
  `the dashboard in Chromium${skipReason ? ` (skipped: ${skipReason})` : ''}`,
  () => {
    let browser: Browser
    let context: BrowserContext
    let page: Page
    let troubles: string[]

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: FLAGS })
    })
    afterAll(async () => browser?.close())

    beforeEach(async () => {
      context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        locale: 'en-GB',
        colorScheme: 'light',
      })
      page = await context.newPage()
      page.setDefaultTimeout(WAIT_MS)
      troubles = []
      page.on('pageerror', ({ message }) => void troubles.push(`error: ${message}`))
      page.on('console', (message) => {
        if (message.type() !== 'error' || isPicture(message.location().url)) return
        troubles.push(`console: ${message.text()} ${message.location().url}`)
      })
      page.on('response', (response) => {
        if (response.status() >= 400 && !isPicture(response.url())) {
          troubles.push(`${response.status()} ${response.url()}`)
        }
      })
      page.on('requestfailed', (request) => {
        // A page that is left gives up its streams and its open questions.
        const isLeft = request.failure()?.errorText === 'net::ERR_ABORTED'
        if (!isLeft && request.resourceType() !== 'image') troubles.push(`failed: ${request.url()}`)
      })
    })
    afterEach(async () => context.close())

    /** Product pictures come from elsewhere, and may not be there. */
    function isPicture(url: string): boolean {
      return !url.startsWith(String(dashboardUrl)) && !url.startsWith(String(apiUrl))
    }

    async function open(path: string): Promise<void> {
      await page.goto(`${dashboardUrl}${path}`)
      await page.locator('h1').waitFor()
    }

    async function firstFigure(selector: string): Promise<string> {
      const figure = page.locator(selector).first()
      await figure.waitFor()
      return (await figure.getAttribute('aria-label')) ?? (await figure.textContent()) ?? ''
    }

    test('every page is reached from the one before and shows real figures, without an error', async () => {
      await open('/')
      for (const { path, english, figure } of PAGES) {
        await page.getByRole('navigation').getByRole('link', { name: english, exact: true }).click()
        await page.getByRole('heading', { level: 1, name: english, exact: true }).waitFor()
        expect(new URL(page.url()).pathname).toBe(path)
        expect(await firstFigure(figure), path).toMatch(/[0-9]/)
        expect(await page.locator('.failed').count(), path).toBe(0)
      }
      expect(troubles).toEqual([])
    })

    test('the summary says what the API says, is live, and follows a new event', async () => {
      await open('/')
      await page.locator('[data-stream="live"]').waitFor()
      const marker = `journey-${Date.now()}`
      const { products } = (await (await fetch(`${apiUrl}/products?limit=1`)).json()) as {
        readonly products: readonly { readonly product_id: string }[]
      }
      await send([{ user_id: marker, action: 'view', product_id: products[0]?.product_id }])
      await page.locator('.feed', { hasText: marker }).waitFor()
      await forget(marker)
      expect(troubles).toEqual([])
    })

    test('a shopper acts on the recommendations page, and the list follows', async () => {
      const shopper = `journey-${Date.now()}`
      await open(`/recommendations?user=${shopper}`)
      const shown = page.locator('[data-changes] .product')
      await shown.first().waitFor()
      await page.locator('[data-stream="live"]').waitFor()
      const before = await productIds()
      await shown.first().locator('[data-action="view"]').click()
      await page.locator('.told:not(.bad):not(:empty)').waitFor()
      await shown.first().locator('[data-action="click"]').click()
      await page.locator('[data-changes]:not([data-changes="0"])').waitFor()
      expect(await productIds()).not.toEqual(before)
      await shown.first().locator('[data-action="similar"]').click()
      await page.locator('dialog[open] .product').first().waitFor()
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
      await forget(shopper)
      expect(troubles).toEqual([])
    })

    test('the search finds a product by the words of its title, and says when there is none', async () => {
      await open('/recommendations')
      const field = page.getByRole('searchbox')
      await field.fill('xqzzyv')
      await field.press('Enter')
      await page.getByText('No product matches.').waitFor()
      const { products } = (await (await fetch(`${apiUrl}/products?limit=1`)).json()) as {
        readonly products: readonly { readonly product_id: string; readonly title: string }[]
      }
      await field.fill(products[0]?.title ?? '')
      await field.press('Enter')
      await page.locator(`[data-product="${products[0]?.product_id}"]`).waitFor()
      expect(troubles).toEqual([])
    })

    test('a funnel of one’s own: steps, order, window and split show what the API says', async () => {
      await open('/funnel')
      await page.locator('.funnel-count').first().waitFor()
      await page
        .getByRole('group', { name: 'Steps' })
        .getByRole('button', { name: '2. Click', exact: true })
        .click()
      await page.getByLabel('Within').selectOption('24h')
      await page.getByLabel('Split by').selectOption('category')
      await page.getByRole('heading', { name: 'Groups' }).waitFor()
      const shown = await page.locator('.funnel-count').allTextContents()
      const query = 'steps=view,add_to_cart,purchase&window=24h&split_by=category'
      const { steps } = (await (await fetch(`${apiUrl}/analytics/funnel?${query}`)).json()) as {
        readonly steps: readonly { readonly shoppers: number }[]
      }
      expect(shown).toHaveLength(steps.length)
      // Shoppers go on while the page is looked at, so the counts may have grown since.
      for (const [i, text] of shown.entries()) {
        const count = Number(text.replaceAll(',', ''))
        expect(count).toBeGreaterThan(0)
        expect(count).toBeLessThanOrEqual(steps[i]?.shoppers ?? 0)
      }
      expect(troubles).toEqual([])
    })

    test('a rule is switched off and on, and others are tried on an answer', async () => {
      const name = `Journey ${Date.now()}`
      const rule = { kind: 'cap', name, per_category: 3, scenarios: ['journey'] }
      const made = await fetch(`${apiUrl}/rules`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rule),
      })
      const { id } = (await made.json()) as { readonly id: string }
      try {
        await open('/rules')
        await page.getByRole('button', { name: `${name}: On` }).click()
        await page.getByRole('button', { name: `${name}: Off` }).click()
        await page.getByRole('button', { name: `${name}: On` }).waitFor()
        const tried = { kind: 'explore', name: 'All at random', probability: 1 }
        await page.getByLabel('Rules, as JSON').fill(JSON.stringify(tried))
        await page.getByRole('button', { name: 'Preview' }).click()
        await page.getByRole('region', { name: 'What would change' }).locator('td').first().waitFor()
        expect(troubles).toEqual([])
      } finally {
        await fetch(`${apiUrl}/rules/${id}`, { method: 'DELETE' })
      }
    })

    test('language and colours are chosen, and remembered', async () => {
      await open('/')
      await page.locator('[data-choice="language"]').click()
      await page.locator('[data-choice="theme"]').click()
      await page.reload()
      for (const { path, indonesian } of PAGES) {
        await open(path)
        await page.getByRole('heading', { level: 1, name: indonesian, exact: true }).waitFor()
      }
      const root = page.locator('html')
      expect(await root.getAttribute('lang')).toBe('id')
      expect(await root.getAttribute('data-theme')).toBe('dark')
      expect(troubles).toEqual([])
    })

    test('at 360 pixels no page scrolls sideways, in either language', async () => {
      await page.setViewportSize({ width: 360, height: 740 })
      for (const language of ['en', 'id']) {
        await open('/')
        await page.evaluate((chosen) => localStorage.setItem('arus.language', chosen), language)
        for (const { path, figure } of PAGES) {
          await open(path)
          await firstFigure(figure)
          const width = await page.evaluate<number>('document.documentElement.scrollWidth')
          expect(width, `${path} in ${language}`).toBeLessThanOrEqual(360)
        }
      }
    })

    test('the keyboard reaches the content, and every control has a name', async () => {
      await open('/funnel')
      await page.keyboard.press('Tab')
      expect(await page.locator(':focus').getAttribute('href')).toBe('#content')
      for (const { path, figure } of PAGES) {
        await open(path)
        await firstFigure(figure)
        const nameless = await page.evaluate<string[]>(NAMELESS)
        expect(nameless, path).toEqual([])
      }
    })

    test('without the API every page says so and offers to try again; then it recovers', async () => {
      await page.route(`${apiUrl}/**`, (route) => route.abort())
      for (const { path } of PAGES) {
        await open(path)
        await page.getByRole('alert').first().waitFor()
        await page.getByRole('button', { name: 'Try again' }).first().waitFor()
      }
      await page.unroute(`${apiUrl}/**`)
      await page.getByRole('button', { name: 'Try again' }).first().click()
      expect(await firstFigure('.figure-value')).toMatch(/[0-9]/)
    })

    test('figures that could not be refreshed stay, and say that they are stale', async () => {
      await open('/system')
      await firstFigure('.figure-value')
      await page.route(`${apiUrl}/**`, (route) => route.abort())
      await page.locator('.stale-note').first().waitFor()
      expect(await firstFigure('.figure-value')).toMatch(/[0-9]/)
    })

    async function productIds(): Promise<string[]> {
      return page
        .locator('[data-changes] .product')
        .evaluateAll((cards) => cards.map((card) => card.getAttribute('data-product') ?? ''))
    }
  },
)

async function send(events: readonly unknown[]): Promise<void> {
  const response = await fetch(`${apiUrl}/stream/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  expect(await response.json()).toMatchObject({ accepted: events.length, rejected: 0 })
}

/** Removes what the journey left behind. */
async function forget(shopper: string): Promise<void> {
  const response = await fetch(`${apiUrl}/users/${shopper}`, { method: 'DELETE' })
  expect(response.status).toBe(200)
}
