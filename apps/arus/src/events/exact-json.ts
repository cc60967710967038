/** A whole number too long for a double keeps its digits only in the source text. */
const LONG_NUMBER = /\d{16}/
/** A key that would name the prototype, written out or with an escape for one of its letters. */
const PROTOTYPE_KEY = /__proto__|\\u00(?:5f|70|72|6f|74)/i
const WHOLE_NUMBER = /^-?\d+$/

/** The value of a JSON text: whole numbers beyond 2^53 as text, keys `__proto__` dropped. Throws `SyntaxError`. */
export function parseExactJson(text: string): unknown {
  const isPlain = !LONG_NUMBER.test(text) && !PROTOTYPE_KEY.test(text)
  return isPlain ? JSON.parse(text) : JSON.parse(text, exactAndHarmless)
}

/** Whole numbers beyond 2^53 become their digits, as text; a key `__proto__` is dropped. */
function exactAndHarmless(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (key === '__proto__') return undefined
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const { source } = context ?? {}
  return source !== undefined && WHOLE_NUMBER.test(source) ? source : value
}
