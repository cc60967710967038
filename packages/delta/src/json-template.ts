/**
 * Reads JSON objects that differ in their values only, as the statistics of a table's files do: what stands between the values
 * is compared, not parsed. It reads a text just as `JSON.parse` does, or not at all.
 */

const QUOTE = 34
const BACKSLASH = 92
const MINUS = 45
const DOT = 46
const ZERO = 48
const FIRST_PRINTED = 32
/** Numbers of so many digits are exact, and so are the powers of ten that their decimals are divided by. */
const DIGITS_MAX = 15
const POWERS_OF_TEN = Array.from({ length: DIGITS_MAX + 1 }, (_, power) => 10 ** power)
const NAMED = [
  ['null', null],
  ['false', false],
  ['true', true],
] as const

/** Text in ASCII, and its bytes: reading them is several times as fast as asking a string for each character. */
export interface AsciiText {
  readonly text: string
  readonly bytes: Uint8Array
}

/** Puts texts into bytes, one after the other in the same room. */
export class AsciiBuffer {
  #bytes = Buffer.allocUnsafe(1 << 12)

  /** Valid until the next call; null where the text has characters beyond ASCII. */
  put(text: string): AsciiText | null {
    // With more room than it needs in ASCII, so that what needs more writes more.
    if (this.#bytes.length < text.length + 8) this.#bytes = Buffer.allocUnsafe(2 * text.length + 8)
    return this.#bytes.write(text) === text.length ? { text, bytes: this.#bytes } : null
  }
}

interface Step {
  /** Number of the object that it is in, in the order in which objects begin. */
  readonly parent: number
  readonly key: string
  /** Where what stands before the value ends in the text the template was made of; null: an object begins. */
  readonly valueAt: number | null
  /** Where what stands before the value begins. */
  readonly from: number
  /** The object that begins, as it was in that text: copying it is faster than adding its keys one by one. */
  readonly shape: object
}

/** The keys of an object and what stands between its values, learnt from one text. */
export class JsonTemplate {
  readonly #shape: object
  readonly #steps: readonly Step[]
  readonly #bytes: Uint8Array
  readonly #tail: number
  /** Where the last value that was read ended. */
  #at = 0

  private constructor(shape: object, steps: readonly Step[], bytes: Uint8Array, tail: number) {
    this.#shape = shape
    this.#steps = steps
    this.#bytes = bytes
    this.#tail = tail
  }

  /** Of a text that `JSON.parse` takes; null when it is no object of values and objects, or has keys that are written otherwise. */
  static of({ text, bytes }: AsciiText, parsed: object): JsonTemplate | null {
    const steps: Step[] = []
    // What opens the text, a key, a value, what ends an object, or anything between.
    const token = /"(?:[^"\\]|\\.)*"|[{}]|[^\s"{},:]+/g
    const objects: number[] = []
    const shapes: object[] = []
    let key: string | null = null
    let from = 0
    for (let found = token.exec(text); found !== null; found = token.exec(text)) {
      const [part] = found
      const parent = objects.at(-1) ?? -1
      if (part === '{') {
        const shape = parent < 0 ? parsed : (shapes[parent] as Record<string, unknown>)[key ?? '']
        // Of a key that comes twice the last counts.
        if (typeof shape !== 'object' || shape === null) return null
        if (parent >= 0) steps.push({ parent, key: key ?? '', valueAt: null, from, shape })
        objects.push(shapes.push(shape) - 1)
        key = null
      } else if (part === '}') {
        objects.pop()
      } else if (parent < 0 || part.startsWith('[')) {
        return null
      } else if (key === null) {
        key = part.slice(1, -1)
        // An escape may stand for any other text, and assigning `__proto__` does not make a key.
        if (key.includes('\\') || key === '__proto__') return null
        continue
      } else {
        steps.push({ parent, key, valueAt: found.index, from, shape: parsed })
        from = token.lastIndex
      }
      key = null
    }
    return new JsonTemplate(parsed, steps, Uint8Array.from(bytes.subarray(0, text.length)), from)
  }

  /** The object, or undefined where the text is not of this template. */
  read(source: AsciiText): object | undefined {
    const { text } = source
    const root: Record<string, unknown> = { ...this.#shape }
    const objects = [root]
    this.#at = 0
    for (const { parent, key, valueAt, from, shape } of this.#steps) {
      const owner = objects[parent]!
      if (valueAt === null) {
        const object = { ...shape }
        objects.push(object)
        owner[key] = object
      } else {
        if (!this.#passes(source.bytes, from, valueAt)) return undefined
        const value = this.#value(source)
        if (value === undefined) return undefined
        owner[key] = value
      }
    }
    if (!this.#passes(source.bytes, this.#tail, this.#bytes.length)) return undefined
    return this.#at === text.length ? root : undefined
  }

  /** Goes over what stands in `[from, end)` of the template, if it stands here. */
  #passes(bytes: Uint8Array, from: number, end: number): boolean {
    const own = this.#bytes
    const shift = this.#at - from
    for (let i = from; i < end; i++) if (own[i] !== bytes[i + shift]) return false
    this.#at = end + shift
    return true
  }

  #value(source: AsciiText): unknown {
    const first = source.bytes[this.#at]!
    if (first === QUOTE) return this.#string(source)
    if (first === MINUS || isDigit(first)) return this.#number(source)
    for (const [name, value] of NAMED) {
      if (!source.text.startsWith(name, this.#at)) continue
      this.#at += name.length
      return value
    }
    return undefined
  }

  #string({ text, bytes }: AsciiText): string | undefined {
    const from = this.#at + 1
    let end = from
    for (; bytes[end] !== QUOTE; end++) {
      if (bytes[end] === BACKSLASH || bytes[end]! < FIRST_PRINTED || end >= text.length) return undefined
    }
    this.#at = end + 1
    return text.slice(from, end)
  }

  /** A number without an exponent, of few digits. */
  #number({ bytes }: AsciiText): number | undefined {
    const start = bytes[this.#at] === MINUS ? this.#at + 1 : this.#at
    let end = start
    let value = 0
    for (; isDigit(bytes[end]!); end++) value = 10 * value + (bytes[end]! - ZERO)
    if (end === start || (bytes[start] === ZERO && end > start + 1)) return undefined
    let decimals = 0
    if (bytes[end] === DOT) {
      const first = ++end
      for (; isDigit(bytes[end]!); end++) value = 10 * value + (bytes[end]! - ZERO)
      decimals = end - first
      if (decimals === 0) return undefined
    }
    if (end - start > DIGITS_MAX) return undefined
    const found = decimals === 0 ? value : value / POWERS_OF_TEN[decimals]!
    const isNegative = start > this.#at
    this.#at = end
    return isNegative ? -found : found
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9
}
