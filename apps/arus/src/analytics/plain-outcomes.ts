/** Retention, searches and attribution once more, in plain loops: what the SQL is held against in tests. */
import type { Attribution, Retention, Searches } from '../api-schema/index.ts'
import { DAY_MS, type Period } from './period.ts'
import { distinct, groups, over, revenueOf, type SilverEvent } from './plain-figures.ts'
import type { StoredAnswer } from './test-silver.ts'

interface RetentionQuestion {
  readonly interval: 'day' | 'week'
  readonly timeZone: string
  readonly action?: string
  readonly returnAction?: string
  readonly periods: number
}

export function plainRetention(
  all: readonly SilverEvent[],
  { fromMs, toMs }: Period,
  { interval, timeZone, action, returnAction, periods }: RetentionQuestion,
): Pick<Retention, 'cohorts' | 'overall'> {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
  // Days since 1970-01-01, a Thursday; weeks since the Monday before it.
  const dayOf = (ms: number) => Date.parse(format.format(ms)) / DAY_MS
  const numberOf = (ms: number) => (interval === 'day' ? dayOf(ms) : Math.floor((dayOf(ms) + 3) / 7))
  const dateOf = (number: number) =>
    new Date((interval === 'day' ? number : number * 7 - 3) * DAY_MS).toISOString().slice(0, 10)
  const known = all.filter(({ ts }) => ts < toMs)
  const members = new Map<number, SilverEvent[][]>()
  for (const own of groups(known, ({ shopper }) => shopper).values()) {
    const firsts = own.filter((event) => action === undefined || event.action === action)
    if (firsts.length === 0) continue
    const start = numberOf(Math.min(...firsts.map(({ ts }) => ts)))
    if (start >= numberOf(fromMs)) members.set(start, [...(members.get(start) ?? []), own])
  }
  const last = numberOf(toMs - 1)
  const cohorts = [...members]
    .sort(([a], [b]) => a - b)
    .map(([start, shoppers]) => {
      const shown = Math.min(last - start, periods) + 1
      return {
        start: dateOf(start),
        shoppers: shoppers.length,
        returned: Array.from(
          { length: shown },
          (_, n) =>
            shoppers.filter((own) =>
              own.some(
                (event) =>
                  (returnAction === undefined || event.action === returnAction) &&
                  numberOf(event.ts) === start + n,
              ),
            ).length,
        ),
        complete: Array.from({ length: shown }, (_, n) => start + n < last).filter(Boolean).length,
      }
    })
  const overall = Array.from({ length: periods + 1 }, (_, period) => {
    const whole = cohorts.filter(({ complete }) => period < complete)
    const shoppers = whole.reduce((total, cohort) => total + cohort.shoppers, 0)
    const returned = whole.reduce((total, cohort) => total + (cohort.returned[period] ?? 0), 0)
    return { period, shoppers, returned, share: over(returned, shoppers) }
  })
  return { cohorts, overall }
}

export function plainSearches(
  events: readonly SilverEvent[],
  limit: number,
): Omit<Searches, 'as_of' | 'from' | 'to'> {
  const found: { readonly search: SilverEvent; readonly after: SilverEvent[] }[] = []
  for (const own of groups(events, ({ session }) => session).values()) {
    let current: SilverEvent[] | null = null
    for (const event of [...own].sort((a, b) => a.ts - b.ts || a.log_offset - b.log_offset)) {
      if (event.action !== 'search') {
        current?.push(event)
        continue
      }
      current = []
      found.push({ search: event, after: current })
    }
  }
  const figuresOf = (those: typeof found) => ({
    searches: those.length,
    shoppers: distinct(those.map(({ search }) => search.shopper)),
    click_rate: over(
      those.filter(({ after }) => after.some(({ action }) => action === 'view' || action === 'click')).length,
      those.length,
    ),
    purchase_rate: over(
      those.filter(({ after }) => after.some(({ action }) => action === 'purchase')).length,
      those.length,
    ),
    revenue: revenueOf(those.flatMap(({ after }) => after)),
  })
  const byQuery = new Map<string, typeof found>()
  for (const each of found) {
    const query = (each.search.query ?? '').toLowerCase().split(/\s+/).filter(Boolean).join(' ')
    if (query !== '') byQuery.set(query, [...(byQuery.get(query) ?? []), each])
  }
  return {
    ...figuresOf(found),
    distinct_queries: byQuery.size,
    queries: [...byQuery]
      .map(([query, those]) => ({ query, ...figuresOf(those) }))
      .sort(
        (a, b) =>
          b.searches - a.searches ||
          (b.click_rate ?? 0) * b.searches - (a.click_rate ?? 0) * a.searches ||
          (a.query < b.query ? -1 : 1),
      )
      .slice(0, limit),
  }
}

/** A product of an answer, and what came of it. */
interface Shown {
  readonly answer: StoredAnswer
  readonly product_id: string
  readonly position: number
  isSeen: boolean
  isClicked: boolean
  purchases: SilverEvent[]
  viewPurchases: SilverEvent[]
}

export function plainAttribution(
  allAnswers: readonly StoredAnswer[],
  allEvents: readonly SilverEvent[],
  { fromMs, toMs }: Period,
  windowMs: number,
): Pick<Attribution, 'total' | 'by_scenario' | 'by_position' | 'by_model'> {
  const sinceMs = fromMs - windowMs - DAY_MS
  const answers = allAnswers.filter(({ generated_at }) => generated_at >= sinceMs && generated_at < toMs)
  const events = allEvents.filter(({ ts }) => ts >= sinceMs)
  const shown: Shown[] = answers.flatMap((answer) =>
    answer.products.map((product_id, i) => ({
      answer,
      product_id,
      position: i + 1,
      isSeen: false,
      isClicked: false,
      purchases: [],
      viewPurchases: [],
    })),
  )
  const byTime = [...events].sort((a, b) => a.ts - b.ts || a.log_offset - b.log_offset)
  const isOf = (event: SilverEvent, { answer, product_id }: Shown) =>
    event.recommendation_id === answer.recommendation_id &&
    (event.product_id === product_id ||
      (event.action === 'recommendation_viewed' && event.product_id === null))
  for (const each of shown) {
    each.isSeen = events.some((event) => event.action === 'recommendation_viewed' && isOf(event, each))
    each.isClicked = events.some((event) => isClick(event) && isOf(event, each))
  }
  for (const purchase of byTime.filter(
    ({ action, product_id }) => action === 'purchase' && product_id !== null,
  )) {
    const before = byTime.filter(
      (event) =>
        event.shopper === purchase.shopper && event.ts <= purchase.ts && purchase.ts - event.ts <= windowMs,
    )
    const click = before.findLast((event) => isClick(event) && event.product_id === purchase.product_id)
    const ofProduct = shown.filter(({ product_id }) => product_id === purchase.product_id)
    if (click !== undefined) {
      ofProduct.find((each) => isOf(click, each))?.purchases.push(purchase)
      continue
    }
    const view = before.findLast(
      (event) => event.action === 'recommendation_viewed' && ofProduct.some((each) => isOf(event, each)),
    )
    if (view !== undefined) ofProduct.find((each) => isOf(view, each))?.viewPurchases.push(purchase)
  }
  const wanted = shown.filter(({ answer }) => answer.generated_at >= fromMs && answer.generated_at < toMs)
  const by = <K>(keyOf: (each: Shown) => K): [K, Shown[]][] => {
    const found = new Map<string, [K, Shown[]]>()
    for (const each of wanted) {
      const key = keyOf(each)
      const own = found.get(JSON.stringify(key)) ?? [key, []]
      own[1].push(each)
      found.set(JSON.stringify(key), own)
    }
    return [...found.values()]
  }
  return {
    total: figuresOf(wanted),
    by_scenario: by(({ answer }) => answer.scenario)
      .map(([scenario, those]) => ({ scenario, ...figuresOf(those) }))
      .sort((a, b) => b.shown - a.shown || (a.scenario < b.scenario ? -1 : 1)),
    by_position: by(({ position }) => position)
      .map(([position, those]) => ({ position, ...figuresOf(those) }))
      .sort((a, b) => a.position - b.position),
    by_model: by(({ answer: { model, version } }) => ({ model, version }))
      .map(([model, those]) => ({ ...model, ...figuresOf(those) }))
      .sort(
        (a, b) =>
          b.shown - a.shown ||
          Number(a.model === null) - Number(b.model === null) ||
          (b.version ?? 0) - (a.version ?? 0),
      ),
  }
}

function isClick({ action, recommendation_id, product_id }: SilverEvent): boolean {
  return (
    (action === 'click' || action === 'recommendation_clicked') &&
    recommendation_id !== null &&
    product_id !== null
  )
}

function figuresOf(those: readonly Shown[]): Attribution['total'] {
  const seen = those.filter(({ isSeen }) => isSeen)
  const clicked = those.filter(({ isClicked }) => isClicked)
  const purchases = those.flatMap((each) => each.purchases)
  const viewPurchases = those.flatMap((each) => each.viewPurchases)
  return {
    answers: distinct(those.map(({ answer }) => answer.recommendation_id)),
    shown: those.length,
    seen: seen.length,
    clicked: clicked.length,
    purchases: purchases.length,
    revenue: revenueOf(purchases),
    view_purchases: viewPurchases.length,
    view_revenue: revenueOf(viewPurchases),
    click_through: over(clicked.length, those.length),
    click_through_of_seen: over(seen.filter(({ isClicked }) => isClicked).length, seen.length),
    purchases_per_click: over(purchases.length, clicked.length),
  }
}
