/**
 * What was made of objects, for as long as they live; on the objects themselves. A WeakMap says the same, but where what is made is
 * asked for what was made of it in turn, the collector marks such chains of WeakMaps step by step while everything stands still: 100 ms with
 * the answers of some thousand shoppers. Copies by spread, JSON and comparisons do not see it.
 */
export class KeptOn<T extends object, R> {
  readonly #name = Symbol('kept')

  get(owner: T): R | undefined {
    return (owner as { [name: symbol]: R | undefined })[this.#name]
  }

  set(owner: T, value: R): void {
    Object.defineProperty(owner, this.#name, { value, writable: true, configurable: true })
  }
}

/** The same function, which makes its result once for each list, as long as somebody holds that list. */
export function madeOnce<T extends object, R>(make: (list: T) => R): (list: T) => R {
  const made = new KeptOn<T, R>()
  return (list) => {
    const known = made.get(list)
    if (known !== undefined) return known
    const result = make(list)
    made.set(list, result)
    return result
  }
}
