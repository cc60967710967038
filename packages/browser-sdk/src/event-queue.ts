import { newId, timeOf } from './new-id.ts'
import type { Store } from './store.ts'
import { warn } from './warn.ts'

const START = 'event.'
/** Ends the name of an event that a beacon took along. */
const BEACONED = '!'
/** Such an event is sent again within this time only: the server must still know its id. */
const BEACONED_MS_MAX = 3_600_000
const EVENTS_MAX = 500
const CHARACTERS_MAX = 500_000
/** An event longer than this would be refused. */
const EVENT_CHARACTERS_MAX = 18_000
const BATCH_EVENTS_MAX = 50
/** In UTF-8 at most three times as much, which keeps a batch below the 64 kB that may be under way when a page closes. */
const BATCH_CHARACTERS_MAX = 20_000

/** Events to send together. */
export interface Batch {
  /** Their names in the queue. */
  readonly names: readonly string[]
  /** A JSON array of them. */
  readonly body: string
}

/**
 * Events that the server has not acknowledged, oldest first. Each has a name of its own in the store, so that pages that are open
 * together add and remove without losing one another's.
 */
export interface EventQueue {
  /** Adds an event, dropping the oldest ones where there are too many. */
  add(event: object): void
  size(): number
  /** The oldest events that fit into one request; null when there is none. */
  batch(): Batch | null
  /** The same of those that this page added and no beacon took along, but for `underWay`. */
  unsent(underWay: readonly string[]): Batch | null
  remove(batch: Batch): void
  /** A beacon took them along. It gives no receipt, so they stay until a batch is acknowledged that holds them. */
  markBeaconed(batch: Batch): void
}

/** Opens the queue of the origin. */
export function openEventQueue(store: Store, now: () => number): EventQueue {
  const mine = new Set<string>()
  let newestMs = 0
  const names = () => store.names(START)
  const drop = (name: string) => {
    mine.delete(name)
    store.set(name, null)
  }
  const isStale = (name: string) =>
    name.endsWith(BEACONED) && now() - timeOf(name.slice(START.length)) > BEACONED_MS_MAX
  const batchOf = (candidates: readonly string[]): Batch | null => {
    const chosen: string[] = []
    const texts: string[] = []
    let characters = 0
    for (const name of candidates) {
      const text = store.get(name)
      if (text === null || isStale(name)) drop(name)
      else {
        characters += text.length
        if (chosen.length === BATCH_EVENTS_MAX || characters > BATCH_CHARACTERS_MAX) break
        chosen.push(name)
        texts.push(text)
      }
    }
    return chosen.length === 0 ? null : { names: chosen, body: `[${texts}]` }
  }
  return {
    size: () => names().length,
    add(event) {
      const text = JSON.stringify(event)
      if (text.length > EVENT_CHARACTERS_MAX) return warn(`too long: ${text.slice(0, 99)}`)
      // Events of one millisecond keep their order too.
      newestMs = Math.max(now(), newestMs + 1)
      const name = START + newId(newestMs)
      mine.add(name)
      store.set(name, text)
      let characters = 0
      for (const [i, known] of names().reverse().entries()) {
        characters += store.get(known)?.length ?? 0
        if (i >= EVENTS_MAX || characters > CHARACTERS_MAX) drop(known)
      }
    },
    batch: () => batchOf(names()),
    unsent: (underWay) => batchOf(names().filter((name) => mine.has(name) && !underWay.includes(name))),
    remove: (batch) => batch.names.forEach(drop),
    markBeaconed(batch) {
      for (const name of batch.names) {
        store.set(name + BEACONED, store.get(name))
        drop(name)
      }
    },
  }
}
