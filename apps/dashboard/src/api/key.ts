const NAME = 'arus.key'

/** The key this tab was given; null before. */
export function rememberedKey(): string | null {
  return sessionStorage.getItem(NAME)
}

/** Keeps a key until the tab is closed; other tabs and later visits do not see it. */
export function rememberKey(key: string): void {
  sessionStorage.setItem(NAME, key)
}

/** The header that presents the key of this tab; none before it was given. */
export function keyHeader(): Readonly<Record<string, string>> {
  const key = rememberedKey()
  return key === null ? {} : { authorization: `Bearer ${key}` }
}
