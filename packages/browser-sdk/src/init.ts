import type { Arus, ArusOptions, EventFields } from './api.ts'
import { openConsent } from './consent.ts'
import { openEventQueue } from './event-queue.ts'
import { type ExposureWatch, watchRecommendations } from './exposure.ts'
import { fetchRecommendations } from './fetch-recommendations.ts'
import { openIdentity } from './identity.ts'
import { newId } from './new-id.ts'
import { createSender } from './sender.ts'
import { openStore } from './store.ts'
import { warn } from './warn.ts'

/** Starts the client of a page: once per page, since it listens to clicks and to the page's end. */
export function init(given: ArusOptions): Arus {
  const options = { ...given, endpoint: given.endpoint.replace(/\/+$/, '') }
  const { endpoint, writeKey, userId } = options
  const store = openStore(() => localStorage)
  const consent = openConsent(store, options)
  const identity = openIdentity(store, Date.now)
  const queue = openEventQueue(store, Date.now)
  const sender = createSender({
    queue,
    url: `${endpoint}/stream/events${writeKey ? `?key=${encodeURIComponent(writeKey)}` : ''}`,
    isAllowed: consent.isGiven,
  })
  let watch: ExposureWatch | undefined
  /** Who the page said it was, kept for when there is consent. */
  let announced: Parameters<Arus['identify']> | undefined

  /** Gives true where the event was taken. */
  const track = guarded((action: string, fields?: EventFields) => {
    if (!consent.isGiven()) return
    const ts = Date.now()
    queue.add({ event_id: newId(ts), ts, ...identity.fields(), ...fields, action })
    sender.wake()
    return true
  })
  const identify = guarded<Parameters<Arus['identify']>, void>((userId, traits) => {
    const user = String(userId ?? '')
    if (user) announced = [userId, traits]
    if (!user || !consent.isGiven()) return
    const isKnown = identity.user() === user
    identity.setUser(user)
    if (!isKnown || traits) track('identify', { properties: traits })
  })

  guarded(() => {
    addEventListener('online', sender.retryNow)
    addEventListener('pagehide', guarded(sender.leave))
    document.addEventListener(
      'visibilitychange',
      guarded(() => document.hidden && sender.leave()),
    )
    identify(userId ?? '')
    watch = watchRecommendations(track)
    // What an earlier page left.
    if (queue.size() > 0) void sender.flush()
  })()
  return {
    track,
    view: (product_id, fields) => track('view', { ...fields, product_id }),
    addToCart: (product_id, fields) => track('add_to_cart', { ...fields, product_id }),
    removeFromCart: (product_id, fields) => track('remove_from_cart', { ...fields, product_id }),
    purchase: guarded((order_id, lines) => {
      for (const [i, line] of lines.entries())
        track('purchase', { event_id: `order:${order_id}:${i + 1}`, ...line, order_id })
    }),
    search: (query, fields) => track('search', { ...fields, query }),
    identify,
    reset: () => {
      announced = undefined
      identity.reset()
    },
    consent: guarded((isGiven) => {
      if (!isGiven) return consent.refuse()
      consent.give()
      if (announced) identify(...announced)
      watch?.restart()
    }),
    flush: sender.flush,
    recommendations: async (query) => {
      await sender.flush()
      // Without consent it is asked for nobody, under an id that is used once.
      const session = consent.isGiven() ? identity.fields().session_id : newId(Date.now())
      return fetchRecommendations(options, session, query ?? {})
    },
  }
}

/** Nothing that goes wrong here reaches the page: it gives undefined then. */
function guarded<A extends readonly unknown[], R>(work: (...args: A) => R): (...args: A) => R | undefined {
  return (...args) => {
    try {
      return work(...args)
    } catch (error) {
      return warn(error) as undefined
    }
  }
}
