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

/** The tokens of one text after another, in flat arrays that each `read` overwrites: no token becomes an object. */
export class TokenList {
  count = 0
  /** Token n is `bytes[ends[n - 1], ends[n])`. Replaced when a text needs more room. A `Buffer` as ids come in, for speed. */
  bytes = Buffer.alloc(1 << 12)
  ends: Uint32Array = new Uint32Array(1 << 12)
  #used = 0

  /**
   * Reads the tokens of the UTF-8 text in `text[from, to)`: runs of letters, digits and marks; lower case, accents folded
   * (NFKD), apostrophes dropped, English plurals cut (Harman 1991, "How effective is suffixing?", the S stemmer, plus -sses,
   * -xes, -ches, -shes), no longer than `TOKEN_BYTES_MAX`. Pure ASCII takes a path without allocation.
   */
  read(text: Buffer, from: number, to: number): void {
    this.count = 0
    this.#used = 0
    this.#reserve(to - from)
    const bytes = this.bytes
    let start = 0
    let end = 0
    for (let i = from; i < to; i++) {
      const kind = KIND_OF_BYTE[text[i]!]!
      if (kind > BEYOND_ASCII) {
        bytes[end++] = kind
      } else if (kind === SEPARATOR) {
        if (end > start) start = this.#close(start, end)
        end = start
      } else if (kind === BEYOND_ASCII) {
        this.#readUnicode(text.toString('utf8', wordStart(text, from, i), to))
        return
      }
    }
    if (end > start) this.#close(start, end)
  }

  /** Ends the token that was written from `start` on; answers where the next one begins. */
  #close(start: number, end: number): number {
    const cut = Math.min(end, start + TOKEN_BYTES_MAX)
    this.#used = withoutPlural(this.bytes, start, cut)
    this.ends[this.count++] = this.#used
    return this.#used
  }

  #readUnicode(text: string): void {
    const folded = text.normalize('NFKD').replace(ACCENTS, '').replace(APOSTROPHES, '')
    for (const [word] of folded.toLowerCase().normalize('NFC').matchAll(WORDS)) {
      this.#reserve(this.#used + TOKEN_BYTES_MAX)
      const room = this.bytes.subarray(this.#used, this.#used + TOKEN_BYTES_MAX)
      const { written } = new TextEncoder().encodeInto(word, room)
      if (written > 0) this.#close(this.#used, this.#used + written)
    }
  }

  /** Makes room for `byteCount` bytes, and as many tokens. */
  #reserve(byteCount: number): void {
    if (byteCount <= this.bytes.length) return
    const bytes = Buffer.alloc(byteCount * 2)
    bytes.set(this.bytes)
    this.bytes = bytes
    const ends = new Uint32Array(byteCount * 2)
    ends.set(this.ends)
    this.ends = ends
  }
}

/** The tokens of `text` as strings, in order, repeats kept. */
export function tokens(text: string): string[] {
  const list = new TokenList()
  const bytes = Buffer.from(text)
  list.read(bytes, 0, bytes.length)
  return Array.from({ length: list.count }, (_, token) =>
    list.bytes.toString('utf8', token === 0 ? 0 : list.ends[token - 1], list.ends[token]),
  )
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

/** Where the word `bytes[start, end)` ends without the sign of its plural. */
function withoutPlural(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[end - 1] !== S || end - start < 4) return end
  const second = bytes[end - 2]!
  if (second === E) return withoutEs(bytes, start, end)
  return second === 117 || second === S || second < 97 ? end : end - 1
}

/** Words in -es: -ies becomes -y; -sses, -xes, -ches, -shes lose -es; others lose -s. */
function withoutEs(bytes: Uint8Array, start: number, end: number): number {
  const third = bytes[end - 3]!
  const fourth = bytes[end - 4]!
  if (third === 105) {
    if (end - start < 5 || fourth === 97 || fourth === E) return end - 1
    bytes[end - 3] = 121
    return end - 2
  }
  const dropsBoth =
    third === 120 || (third === S && fourth === S) || (third === 104 && (fourth === 99 || fourth === S))
  return dropsBoth ? end - 2 : end - 1
}
