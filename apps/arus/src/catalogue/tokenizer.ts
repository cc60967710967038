/** Longest token kept, bytes; the rest of a longer one is cut off. */
export const TOKEN_BYTES_MAX = 64

const WORDS = /[\p{L}\p{N}\p{M}]+/gu
/** Accents of Latin, Greek and Cyrillic letters; vowel signs of Indic scripts are other marks and stay. */
const ACCENTS = /[\u0300-\u036f]/g
const APOSTROPHES = /['’]/g

const APOSTROPHE = 39
/** Kinds of bytes; a greater one is a letter, in lower case, or a digit. */
const SEPARATOR = 0
const PASSED_OVER = 1
const BEYOND_ASCII = 2
const KIND_OF_BYTE = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code >= 128) return BEYOND_ASCII
  if (code === APOSTROPHE) return PASSED_OVER
  return /[a-z0-9]/i.test(String.fromCharCode(code)) ? code | 32 : SEPARATOR
})

/**
 * Calls `onToken(length)` for each token of the UTF-8 text in `bytes[from, to)`, the token's own bytes being in
 * `scratch[0, length)` during the call. Tokens are runs of letters, digits and marks; lower case, accents folded (NFKD),
 * apostrophes dropped, English plurals cut (Harman 1991, "How effective is suffixing?", the S stemmer, plus -sses, -xes,
 * -ches, -shes). `scratch` needs `TOKEN_BYTES_MAX` bytes. Pure ASCII takes a path without allocation.
 */
export function forEachToken(
  bytes: Buffer,
  range: { readonly from: number; readonly to: number },
  scratch: Uint8Array,
  onToken: (length: number) => void,
): void {
  const { from, to } = range
  let length = 0
  for (let i = from; i < to; i++) {
    const kind = KIND_OF_BYTE[bytes[i]!]!
    if (kind > BEYOND_ASCII) {
      if (length < TOKEN_BYTES_MAX) scratch[length++] = kind
    } else if (kind === SEPARATOR) {
      if (length > 0) onToken(withoutPlural(scratch, length))
      length = 0
    } else if (kind === BEYOND_ASCII) {
      forEachUnicodeToken(bytes.toString('utf8', wordStart(bytes, from, i), to), scratch, onToken)
      return
    }
  }
  if (length > 0) onToken(withoutPlural(scratch, length))
}

/** The tokens of `text` as strings, in order, repeats kept. */
export function tokens(text: string): string[] {
  const scratch = Buffer.alloc(TOKEN_BYTES_MAX)
  const found: string[] = []
  const bytes = Buffer.from(text)
  forEachToken(bytes, { from: 0, to: bytes.length }, scratch, (length) =>
    found.push(scratch.toString('utf8', 0, length)),
  )
  return found
}

function forEachUnicodeToken(text: string, scratch: Uint8Array, onToken: (length: number) => void): void {
  const folded = text.normalize('NFKD').replace(ACCENTS, '').replace(APOSTROPHES, '')
  for (const [word] of folded.toLowerCase().normalize('NFC').matchAll(WORDS)) {
    const { written } = new TextEncoder().encodeInto(word, scratch.subarray(0, TOKEN_BYTES_MAX))
    if (written > 0) onToken(withoutPlural(scratch, written))
  }
}

/** Where the word that `at` lies in begins, apostrophes being part of words here. */
function wordStart(bytes: Buffer, from: number, at: number): number {
  let start = at
  while (start > from && isWordByte(bytes[start - 1]!)) start--
  return start
}

function isWordByte(code: number): boolean {
  return KIND_OF_BYTE[code]! > BEYOND_ASCII || code === APOSTROPHE
}

const S = 115
const E = 101

function withoutPlural(bytes: Uint8Array, length: number): number {
  if (length < 4 || bytes[length - 1] !== S) return length
  const second = bytes[length - 2]!
  const third = bytes[length - 3]!
  if (second === E) return withoutEs(bytes, length, third)
  return second === 117 || second === S || second < 97 ? length : length - 1
}

/** Words in -es: -ies becomes -y; -sses, -xes, -ches, -shes lose -es; others lose -s. */
function withoutEs(bytes: Uint8Array, length: number, third: number): number {
  const fourth = bytes[length - 4]!
  if (third === 105) {
    if (length < 5 || fourth === 97 || fourth === E) return length - 1
    bytes[length - 3] = 121
    return length - 2
  }
  const dropsBoth =
    third === 120 || (third === S && fourth === S) || (third === 104 && (fourth === 99 || fourth === S))
  return dropsBoth ? length - 2 : length - 1
}
