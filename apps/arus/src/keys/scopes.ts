import type { KeyKind } from './api-key.ts'

/** What a route needs. One that declares nothing needs `admin`. */
export type Scope =
  /** Nothing: the way in, and what a load balancer asks. */
  | 'open'
  /** Send events. */
  | 'events'
  /** Recommendations that tell nothing of a known shopper: trending, similar, a session's own. */
  | 'recommend'
  /** Recommendations of any shopper by id, and what led to them. */
  | 'shoppers'
  | 'products'
  | 'analytics'
  /** Figures for those who watch the server. */
  | 'operations'
  | 'admin'

/**
 * What each kind of key may do. A public key stands in a page's source: it may not read what belongs to a shopper, whose
 * ids can be guessed.
 */
const SCOPES: Readonly<Record<KeyKind, ReadonlySet<Scope>>> = {
  public: new Set(['open', 'events', 'recommend']),
  secret: new Set(['open', 'events', 'recommend', 'shoppers', 'products', 'analytics', 'operations']),
  admin: new Set(['open', 'events', 'recommend', 'shoppers', 'products', 'analytics', 'operations', 'admin']),
}

/** Whether a key of this kind may use a route that needs `scope`. */
export function mayUse(kind: KeyKind, scope: Scope): boolean {
  return SCOPES[kind].has(scope)
}

/** Kinds of key that may use a route that needs `scope`, the weakest first. */
export function kindsFor(scope: Scope): readonly KeyKind[] {
  return (['public', 'secret', 'admin'] as const).filter((kind) => mayUse(kind, scope))
}
