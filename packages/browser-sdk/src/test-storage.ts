/** The browser's `Storage` in memory, with a capacity, for tests. */
export class MemoryStorage implements Storage {
  readonly #texts = new Map<string, string>()
  readonly #charactersMax: number;
  [name: string]: unknown

  constructor(charactersMax: number = Number.POSITIVE_INFINITY) {
    this.#charactersMax = charactersMax
  }

  get length(): number {
    return this.#texts.size
  }

  key(index: number): string | null {
    return [...this.#texts.keys()][index] ?? null
  }

  getItem(name: string): string | null {
    return this.#texts.get(name) ?? null
  }

  setItem(name: string, text: string): void {
    const others = [...this.#texts].filter(([other]) => other !== name)
    const characters = others.reduce((sum, [, kept]) => sum + kept.length, text.length)
    if (characters > this.#charactersMax) throw new DOMException('full', 'QuotaExceededError')
    this.#texts.set(name, text)
  }

  removeItem(name: string): void {
    this.#texts.delete(name)
  }

  clear(): void {
    this.#texts.clear()
  }
}
