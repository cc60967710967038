/** The header by which a client presents a key; none for null. */
export function keyHeader(key: string | null): Readonly<Record<string, string>> {
  return key === null ? {} : { authorization: `Bearer ${key}` }
}
