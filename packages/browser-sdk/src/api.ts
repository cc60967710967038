/** Where events go, and what is known of the visitor at the start. */
export interface ArusOptions {
  /** Address of Arus, without a path: `https://arus.shop.example`. */
  readonly endpoint: string
  /** A public key (`pk_…`); needed where the server requires keys. */
  readonly writeKey?: string | undefined
  /**
   * `required`: nothing is stored or sent until `consent(true)`, whose answer later pages remember. `given`, the default:
   * until `consent(false)`.
   */
  readonly consent?: 'given' | 'required' | undefined
  /** The visitor, when the page knows who it is; as `identify` does. */
  readonly userId?: string | number | undefined
}

/** Fields of an event beside who did it and when. Names are those of `POST /stream/events`. */
export interface EventFields {
  readonly product_id?: string | number | undefined
  /** Of one unit, in the shop's currency. */
  readonly price?: number | undefined
  readonly quantity?: number | undefined
  readonly order_id?: string | number | undefined
  /** The answer that showed the product. */
  readonly recommendation_id?: string | undefined
  /** Rank at which it was shown, from 1. */
  readonly position?: number | undefined
  /** Text of a search. */
  readonly query?: string | undefined
  /** Repeats of an id count once. Given one when absent. */
  readonly event_id?: string | undefined
  /** Anything else; 16 kB as JSON at most. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined
}

/** Fields of an event that has a product already. */
export type ProductFields = Omit<EventFields, 'product_id'>

/** One line of an order. */
export interface OrderLine extends ProductFields {
  readonly product_id: string | number
}

/** What recommendations are asked for. Without `user` and `product`: for the session under way. */
export interface RecommendationQuery {
  /** A shopper by id. Pages may ask this only where the server lets them: a public key does not. */
  readonly user?: string | number | undefined
  /** Products like this one. */
  readonly product?: string | number | undefined
  /** 1 to 100; 10 when not given. */
  readonly limit?: number | undefined
  /** Where they are shown, such as `home`: a letter, then letters, digits, `_`, `-`. */
  readonly scenario?: string | undefined
  /** Id or name of a category. */
  readonly category?: string | number | undefined
}

export interface RecommendedProduct {
  readonly product_id: string
  /** From 1. */
  readonly rank: number
  readonly score: number
  readonly title: string | null
  readonly category: string | null
  readonly price: number | null
  readonly list_price: number | null
  readonly image_url: string | null
  readonly product_url: string | null
  readonly stars: number | null
  readonly reviews: number | null
}

/** An answer, or an empty list with a null id where none could be had. */
export interface Recommendations {
  readonly recommendation_id: string | null
  readonly recommendations: readonly RecommendedProduct[]
}

/**
 * The client of a page. Nothing here throws or rejects: what goes wrong is told on the console. Events are kept until the
 * server has acknowledged them, over pages and days (the newest 500, at most half a million characters).
 */
export interface Arus {
  /** Something the visitor did: `view`, `add_to_wishlist`, … in lower case. */
  track(action: string, fields?: EventFields): void
  view(productId: string | number, fields?: ProductFields): void
  addToCart(productId: string | number, fields?: ProductFields): void
  removeFromCart(productId: string | number, fields?: ProductFields): void
  /** One event per line. The order's id makes the events' ids, so that a page shown twice counts once. */
  purchase(orderId: string | number, lines: readonly OrderLine[]): void
  search(query: string, fields?: Omit<EventFields, 'query'>): void
  /** The visitor is this user from now on, on later pages too. An empty id changes nothing. */
  identify(userId: string | number, traits?: Readonly<Record<string, unknown>>): void
  /** The visitor logged out: from now on somebody new, in a new session. */
  reset(): void
  /** The visitor's answer. `false` removes everything that was stored, events not yet sent too. */
  consent(isGiven: boolean): void
  /** Sends what waits. Resolves when the server has it, or when it cannot be had now. */
  flush(): Promise<void>
  /** Sends what waits, then asks, so that the answer follows the newest event. */
  recommendations(query?: RecommendationQuery): Promise<Recommendations>
}
