import type { ArusOptions } from './api.ts'
import type { Store } from './store.ts'

const GIVEN = '1'
const REFUSED = '0'

export interface Consent {
  isGiven(): boolean
  give(): void
  /** Removes everything that was stored. A refusal is remembered only where consent is not required: no trace means no there. */
  refuse(): void
}

/** Reads the answer each time, so that it counts in all pages of the origin at once. */
export function openConsent(store: Store, { consent }: ArusOptions): Consent {
  // Whatever else a page may write there, it meant to ask first.
  const isRequired = (consent ?? 'given') !== 'given'
  return {
    isGiven: () => (isRequired ? store.get('consent') === GIVEN : store.get('consent') !== REFUSED),
    give: () => store.set('consent', isRequired ? GIVEN : null),
    refuse() {
      for (const name of store.names('')) store.set(name, null)
      if (!isRequired) store.set('consent', REFUSED)
    },
  }
}
