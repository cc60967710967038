import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LiveAnalyticsBody, PassportBody } from '../../src/api-schema/index.ts'
import type { ShopEvent } from '../../src/events/event.ts'
import { executablePath, FLAGS, noChromium } from './chromium.ts'
import { OwnArus } from './own-arus.ts'
import { type ShopServer, serveStorefront } from './shop-server.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 })

describe.skipIf(noChromium !== null)(
  `a shop's pages in Chromium${noChromium ? ` (skipped: ${noChromium})` : ''}`,
  () => {
    let arus: OwnArus
    let shop: ShopServer
    let browser: Browser
    let context: BrowserContext
    let page: Page
    let troubles: string[]
    let posts: Request[]

    beforeAll(async () => {
      arus = await OwnArus.start()
      shop = await serveStorefront(arus.url)
      browser = await chromium.launch({ executablePath, args: FLAGS })
    })
    afterAll(async () => {
      await browser?.close()
      await shop?.close()
      await arus?.stop()
    })

    beforeEach(async () => {
      context = await browser.newContext({ viewport: { width: 1_000, height: 800 } })
      troubles = []
      posts = []
      context.on('request', (request) => {
        if (request.url().includes('/stream/events')) posts.push(request)
      })
      context.on('weberror', (error) => void troubles.push(error.error().message))
      context.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text())
      })
      page = await context.newPage()
    })
    afterEach(async () => context.close())

    /** An empty page with the SDK, its script tag having these attributes; who it belongs to is told already. */
    async function openBlank(attributes = '', on: Page = page): Promise<void> {
      await on.goto(`${shop.url}/blank?${attributes}`)
      await call('await arus.flush()', on)
      posts.length = 0
    }

    /** Closes the tab as a visitor does: its handlers run. */
    async function closeTab(): Promise<void> {
      const closed = page.waitForEvent('close')
      await page.close({ runBeforeUnload: true })
      await closed
    }

    /** Calls the SDK as a page does. */
    async function call(calls: string, on: Page = page): Promise<void> {
      await on.evaluate(`(async () => { ${calls} })()`)
    }

    const stored = (on: Page = page): Promise<string[]> =>
      on.evaluate<string[]>(`Object.keys(localStorage).filter((name) => name.startsWith('arus.')).sort()`)

    /** Names of events that wait in the browser. */
    const waiting = async (): Promise<string[]> =>
      (await stored()).filter((name) => name.startsWith('arus.event.'))

    const allAcknowledged = (): Promise<void> => expect.poll(waiting, { timeout: 10_000 }).toEqual([])

    /** Events of the user that the log holds, once there are as many as expected. */
    const arrived = (user: string, count: number): Promise<readonly ShopEvent[]> =>
      arus.eventsOf(
        (event) => event.user_id === user && event.action !== 'identify',
        (events) => events.length >= count,
      )

    const sentIds = (): string[] =>
      posts.flatMap((post) =>
        (JSON.parse(post.postData() ?? '[]') as ShopEvent[]).map(({ event_id }) => event_id),
      )

    test('a visit to the storefront arrives whole and once, and what was recommended is attributed', async () => {
      await page.goto(`${shop.url}/index.html`)
      await page.locator('#recommended .card').first().waitFor()
      expect(await stored()).toEqual([])
      await page.getByRole('button', { name: 'Yes' }).click()
      const cards = page.locator('#recommended .card')
      const recommendationId = await cards.first().getAttribute('data-arus-recommendation')
      const isTheirs = (event: ShopEvent) => event.recommendation_id === recommendationId
      await arus.eventsOf(isTheirs, (events) => events.length >= 6)
      await cards.nth(1).click()
      await page.locator('#title', { hasText: 'Thing' }).waitFor()
      await page.getByRole('button', { name: 'Add to cart' }).click()
      await page.getByRole('button', { name: 'Buy' }).click()
      await page.getByText('Thank you').waitFor()

      const [first] = await arus.eventsOf(isTheirs, (events) => events.length >= 7)
      const visit = await arus.eventsOf(
        (event) => event.anonymous_id === first?.anonymous_id,
        (events) => events.some(({ action }) => action === 'purchase'),
      )
      const home = visit.filter(isTheirs)
      const passport = (await arus.get(`/recommendations/${recommendationId}`)) as PassportBody
      const recommended = passport.result.map(({ product_id, rank }) => [product_id, rank])
      expect(passport.scenario).toBe('home')
      expect(
        home
          .filter(({ action }) => action === 'recommendation_viewed')
          .map((event) => [event.product_id, event.position]),
      ).toEqual(recommended)
      expect(
        home
          .filter(({ action }) => action === 'recommendation_clicked')
          .map((event) => [event.product_id, event.position]),
      ).toEqual([recommended[1]])
      const product = recommended[1]?.[0]
      for (const action of ['view', 'add_to_cart', 'purchase']) {
        expect(
          visit.filter((event) => event.action === action).map(({ product_id }) => product_id),
          action,
        ).toEqual([product])
      }
      expect(new Set(visit.map(({ session_id }) => session_id)).size).toBe(1)
      expect(new Set(visit.map(({ event_id }) => event_id)).size).toBe(visit.length)
      await expect
        .poll(async () => ((await arus.get('/analytics')) as LiveAnalyticsBody).events_total)
        .toBe((await arus.events()).length)
      expect(troubles).toEqual([])
    })

    test('without consent nothing is stored or sent; taken back, nothing is left', async () => {
      await openBlank('consent=required')
      const everything = `
      arus.identify('c1'); arus.view('B0001'); arus.search('thing'); arus.purchase('o-c1', [{ product_id: 'B0001' }])
      document.body.innerHTML = '<p data-arus-recommendation="r-c1" data-arus-product="B0001">B0001</p>'
      document.querySelector('p').click()
      await arus.flush(); window.dispatchEvent(new Event('pagehide'))`
      await call(everything)
      expect([await stored(), posts.length]).toEqual([[], 0])
      await call('arus.consent(false)')
      await call(everything)
      expect([await stored(), posts.length]).toEqual([[], 0])

      await call(`arus.consent(true); arus.view('B0002')`)
      const events = await arus.eventsOf(
        ({ user_id }) => user_id === 'c1',
        (all) => all.some(({ action }) => action === 'recommendation_viewed'),
      )
      expect(events.map(({ action }) => action).sort()).toEqual(['identify', 'recommendation_viewed', 'view'])
      await openBlank('consent=required')
      await call(`arus.view('B0003'); await arus.flush(); arus.view('B0004'); arus.consent(false)`)
      expect(await stored()).toEqual([])
      const sent = posts.length
      await call(everything)
      expect([await stored(), posts.length]).toEqual([[], sent])
      expect((await arrived('c1', 3)).map(({ product_id }) => product_id)).not.toContain('B0004')
    })

    test('what happens offline is sent once the browser is online again', async () => {
      await openBlank('user=offline')
      await context.setOffline(true)
      await call(`for (let i = 0; i < 60; i++) arus.view('B' + i); await arus.flush()`)
      expect(await waiting()).toHaveLength(60)
      await context.setOffline(false)
      const events = await arrived('offline', 60)
      expect(events.map(({ product_id }) => product_id)).toEqual(
        Array.from({ length: 60 }, (_, i) => `B${i}`),
      )
    })

    test('what happened offline in a page that was closed is sent by the next', async () => {
      await openBlank('user=closed-offline')
      await context.setOffline(true)
      await call(`arus.view('B0001'); arus.view('B0002')`)
      await closeTab()
      await context.setOffline(false)
      page = await context.newPage()
      await openBlank()
      const events = await arrived('closed-offline', 2)
      expect(events.map(({ product_id }) => product_id)).toEqual(['B0001', 'B0002'])
      await allAcknowledged()
    })

    test('a tab that closes at once still delivers, by a beacon with the key in its address', async () => {
      await openBlank('user=beacon&key=pk_beacon')
      // Nothing but a beacon is left to deliver.
      await call(`
        window.fetch = () => Promise.reject(new TypeError('gone'))
        const beacon = navigator.sendBeacon.bind(navigator)
        navigator.sendBeacon = (url, body) => { localStorage.setItem('beacon', url); return beacon(url, body) }
        arus.view('B0001', { price: 3 }); arus.addToCart('B0001')`)
      await closeTab()
      const events = await arrived('beacon', 2)
      expect(events.map(({ action }) => action)).toEqual(['view', 'add_to_cart'])
      page = await context.newPage()
      await openBlank()
      const address = await page.evaluate<string>(`localStorage.getItem('beacon')`)
      expect(address).toBe(`${arus.url}/stream/events?key=pk_beacon`)
      await allAcknowledged()
      expect(await arrived('beacon', 2)).toHaveLength(2)
    })

    test('the beacon of a page that lives on is sent again, and counts once', async () => {
      await openBlank('user=hidden')
      await call(`arus.view('B0001'); window.dispatchEvent(new Event('pagehide')); await arus.flush()`)
      await allAcknowledged()
      const sent = sentIds()
      expect(sent.length).toBeGreaterThan(new Set(sent).size)
      expect(await arrived('hidden', 1)).toHaveLength(1)
    })

    test('a server that is overloaded is left alone for as long as it asks, then gets the events', async () => {
      await openBlank('user=overload')
      let refusedAtMs = 0
      await page.route('**/stream/events*', async (route) => {
        if (refusedAtMs > 0) return route.continue()
        refusedAtMs = performance.now()
        const headers = {
          'retry-after': '3',
          'access-control-allow-origin': '*',
          'access-control-expose-headers': 'retry-after',
        }
        return route.fulfill({ status: 503, headers, contentType: 'application/problem+json', body: '{}' })
      })
      await call(`arus.view('B0001'); await arus.flush(); arus.view('B0002'); await arus.flush()`)
      expect(posts).toHaveLength(1)
      const events = await arrived('overload', 2)
      expect(performance.now() - refusedAtMs).toBeGreaterThanOrEqual(3_000)
      expect(events).toHaveLength(2)
      expect(posts).toHaveLength(2)
    })

    test('an answer that is lost on the way makes a second try, and each event counts once', async () => {
      await openBlank('user=lost')
      let isLost = false
      await page.route('**/stream/events*', async (route) => {
        if (isLost) return route.continue()
        isLost = true
        await route.fetch()
        return route.abort()
      })
      await call(`arus.view('B0001'); arus.view('B0002'); await arus.flush()`)
      expect(await arrived('lost', 2)).toHaveLength(2)
      await allAcknowledged()
      const sent = sentIds()
      expect(sent).toHaveLength(2 * new Set(sent).size)
      expect(await arrived('lost', 2)).toHaveLength(2)
    })

    test('tabs share one queue, and each event is sent by one of them', async () => {
      const other = await context.newPage()
      await openBlank('user=tabs')
      await openBlank('user=tabs', other)
      const views = (tab: string) =>
        `for (let i = 0; i < 70; i++) { arus.view('${tab}' + i); if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5)) }`
      await Promise.all([call(views('a')), call(views('b'), other)])
      await Promise.all([call('await arus.flush()'), call('await arus.flush()', other)])
      const events = await arrived('tabs', 140)
      expect(new Set(events.map(({ product_id }) => product_id)).size).toBe(140)
      expect(events).toHaveLength(140)
      expect(new Set(events.map(({ session_id }) => session_id)).size).toBe(1)
      const sent = sentIds()
      expect(sent).toHaveLength(new Set(sent).size)
    })

    test('where storage is blocked, events are sent all the same', async () => {
      await context.addInitScript(`
      for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, { get() { throw new DOMException('blocked', 'SecurityError') } })`)
      await openBlank('user=blocked')
      await call(`arus.view('B0001'); arus.view('B0002'); await arus.flush()`)
      const events = await arrived('blocked', 2)
      expect(events).toHaveLength(2)
      expect(events[0]?.session_id).toBe(events[1]?.session_id)
      expect(troubles).toEqual([])
    })

    test('an element is seen once half of it was visible for a second, also one that came later', async () => {
      await openBlank('user=seen')
      await call(`
      window.add = (product, top) => document.body.insertAdjacentHTML('beforeend', '<div style="position:absolute;height:100px;top:' +
        top + 'px" data-arus-recommendation="r-seen" data-arus-product="' + product + '" data-arus-position="2">' + product + '</div>')
      add('inside', 0); add('a-third', 767); add('below', 3000)
      setTimeout(() => add('later', 200), 300)`)
      const viewed = () => arrived('seen', 2).then((events) => events.map(({ product_id }) => product_id))
      expect(await viewed()).toEqual(['inside', 'later'])
      await page.mouse.wheel(0, 3_000)
      const events = await arrived('seen', 3)
      expect(events.map(({ product_id }) => product_id)).toEqual(['inside', 'later', 'below'])
      expect(events[0]).toMatchObject({
        action: 'recommendation_viewed',
        recommendation_id: 'r-seen',
        position: 2,
      })
      await page.mouse.wheel(0, -3_000)
      await page.locator('text=inside').click()
      await call(`add('last', 400)`)
      expect(
        (await arrived('seen', 5)).slice(3).map(({ action, product_id }) => [action, product_id]),
      ).toEqual([
        ['recommendation_clicked', 'inside'],
        ['recommendation_viewed', 'last'],
      ])
    })

    test('nothing that a page does wrong throws into it', async () => {
      await openBlank('user=wrong')
      await call(`
      const circular = {}; circular.self = circular
      arus.track(); arus.track('view'); arus.track('Not An Action', { product_id: {} }); arus.view(undefined)
      arus.track('x', { properties: circular }); arus.track('x', { properties: { n: 1n } }); arus.purchase('o'); arus.purchase()
      arus.identify(); arus.consent(); arus.consent(true); arus.track('x', { properties: { text: 'x'.repeat(50000) } })
      await arus.flush(); await arus.recommendations({ limit: 'many' }); await arus.recommendations({ product: 'none' }); await arus.recommendations(null)
      arus.identify('wrong'); arus.view('B0001')`)
      expect((await arrived('wrong', 1)).map(({ product_id }) => product_id)).toEqual(['B0001'])
      expect(troubles.filter((text) => !text.startsWith('arus:') && !text.includes('status of 4'))).toEqual(
        [],
      )
      expect(troubles.some((text) => text.startsWith('arus:'))).toBe(true)
    })

    test('the module does the same, and an order shown twice counts once', async () => {
      await page.goto(`${shop.url}/shop.css`)
      const order = `
      const { init } = await import('${arus.url}/sdk/arus.mjs')
      const client = init({ endpoint: '${arus.url}/', userId: 42 })
      client.purchase(900, [{ product_id: 'B0001', price: 2, quantity: 1 }, { product_id: 2 }])
      await client.flush()`
      await call(order)
      await page.reload()
      await call(order)
      const events = await arrived('42', 2)
      expect(events.map(({ event_id, product_id, order_id }) => [event_id, product_id, order_id])).toEqual([
        ['order:900:1', 'B0001', '900'],
        ['order:900:2', '2', '900'],
      ])
    })

    test('recommendations follow what was done a moment ago', async () => {
      await openBlank('user=follow')
      const answer = (await page.evaluate(`(async () => {
      arus.view('B0005')
      return arus.recommendations({ limit: 3, scenario: 'cart', category: 'Toys' })
    })()`)) as { recommendation_id: string; recommendations: { product_id: string }[] }
      expect(answer.recommendations).toHaveLength(3)
      const passport = (await arus.get(`/recommendations/${answer.recommendation_id}`)) as PassportBody
      const [event] = await arrived('follow', 1)
      expect(passport).toMatchObject({ scenario: 'cart', session_id: event?.session_id })
      expect(passport.events.map(({ product_id }) => product_id)).toEqual(['B0005'])
    })
  },
)
