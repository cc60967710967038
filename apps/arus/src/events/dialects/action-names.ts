/** One deed of a shopper, and what the dialects call it. */
export interface ActionNames {
  /** The canonical action. */
  readonly action: string
  /** Segment: names of `track` events (ecommerce spec V2, then V1), or the type of a call that is not `track`. */
  readonly segment: readonly string[]
  /** GA4: names of events. */
  readonly ga4: readonly string[]
  /** Several products in one message make an event each, or stay with the one event. */
  readonly products: 'an event each' | 'one event'
}

/** The one table of names. What stands in no row keeps its own name, in snake_case. docs/EVENTS.md shows it; a test compares. */
export const ACTION_NAMES: readonly ActionNames[] = [
  each('view', ['Product Viewed', 'Viewed Product'], ['view_item']),
  each('click', ['Product Clicked'], ['select_item']),
  each('add_to_cart', ['Product Added', 'Added Product'], ['add_to_cart']),
  each('remove_from_cart', ['Product Removed', 'Removed Product'], ['remove_from_cart']),
  each('purchase', ['Order Completed', 'Completed Order'], ['purchase']),
  one('search', ['Products Searched'], ['search', 'view_search_results']),
  each('view_item_list', ['Product List Viewed', 'Viewed Product Category'], ['view_item_list']),
  each('add_to_wishlist', ['Product Added to Wishlist'], ['add_to_wishlist']),
  each('remove_from_wishlist', ['Product Removed from Wishlist'], []),
  each('view_cart', ['Cart Viewed'], ['view_cart']),
  each('begin_checkout', ['Checkout Started'], ['begin_checkout']),
  each('add_payment_info', ['Payment Info Entered'], ['add_payment_info']),
  each('add_shipping_info', [], ['add_shipping_info']),
  each('refund', ['Order Refunded'], ['refund']),
  one('view_promotion', ['Promotion Viewed'], ['view_promotion']),
  one('select_promotion', ['Promotion Clicked'], ['select_promotion']),
  one('page_view', ['page'], ['page_view']),
  one('screen_view', ['screen'], ['screen_view']),
  one('identify', ['identify'], []),
  one('alias', ['alias'], []),
  one('group', ['group'], []),
]

type Dialect = 'segment' | 'ga4'

const ROWS: Readonly<Record<Dialect, ReadonlyMap<string, ActionNames>>> = {
  segment: byName('segment'),
  ga4: byName('ga4'),
}

/** The row of a name in a dialect, however its words are joined and capitalised; a row of its own when there is none. */
export function actionNamed(name: string, dialect: Dialect): Pick<ActionNames, 'action' | 'products'> {
  const action = snakeCase(name)
  return ROWS[dialect].get(action) ?? { action, products: 'one event' }
}

/** "Coupon Entered", "couponEntered" and "coupon-entered" are all `coupon_entered`. */
export function snakeCase(name: string): string {
  return name
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9.:]+/g, '_')
    .replace(/^_+|_+$/g, '')
}

function byName(dialect: Dialect): ReadonlyMap<string, ActionNames> {
  return new Map(ACTION_NAMES.flatMap((row) => row[dialect].map((name) => [snakeCase(name), row] as const)))
}

function each(action: string, segment: readonly string[], ga4: readonly string[]): ActionNames {
  return { action, segment, ga4, products: 'an event each' }
}

function one(action: string, segment: readonly string[], ga4: readonly string[]): ActionNames {
  return { action, segment, ga4, products: 'one event' }
}
