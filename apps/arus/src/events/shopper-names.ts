/** Under which names one person stands in what was stored. */
export interface ShopperNames {
  /** The one that was asked for. */
  readonly id: string
  /** Anonymous ids that no other user signed in under, or said to be an alias of theirs. */
  readonly anonymousIds: readonly string[]
  /** Sessions that nobody else took part in. */
  readonly sessions: readonly string[]
}

/** Every name once. An event is theirs when `shopperOf` gives one of them. */
export function allNames({ id, anonymousIds, sessions }: ShopperNames): string[] {
  return [...new Set([id, ...anonymousIds, ...sessions])]
}

/** The names of both. */
export function joinedNames(a: ShopperNames, b: ShopperNames): ShopperNames {
  return {
    id: a.id,
    anonymousIds: [...new Set([...a.anonymousIds, ...b.anonymousIds])],
    sessions: [...new Set([...a.sessions, ...b.sessions])],
  }
}

const ID_KEY = /^(?:user|anonymous|session|client|previous)_?id$/i
/** Between words of a text that is not JSON. */
const BETWEEN = /[\s"'\\,;&?{}[\]:=]/
/** A name this long says by itself who is meant. */
const TELLING_LENGTH = 6
const WORD = /[\p{L}\p{N}_-]/u

/**
 * A test on texts that were refused as events: whether they speak of one of the names. In JSON by the fields that name
 * shoppers, however deep; in other texts by the same words before a name, or by a name of six characters or more.
 */
export function mentionOf(names: readonly string[]): (raw: string) => boolean {
  const known = new Set(names)
  const telling = names.filter((name) => name.length >= TELLING_LENGTH)
  return (raw) => {
    const value = parsed(raw)
    return value === undefined || typeof value === 'string'
      ? isInText(typeof value === 'string' ? value : raw, known, telling)
      : isInFields(value, known)
  }
}

function isInFields(value: unknown, known: ReadonlySet<string>): boolean {
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    for (const [key, field] of Object.entries(next)) {
      const isId = typeof field === 'string' || typeof field === 'number'
      if (isId && ID_KEY.test(key) && known.has(String(field))) return true
      waiting.push(field)
    }
  }
  return false
}

function isInText(text: string, known: ReadonlySet<string>, telling: readonly string[]): boolean {
  const words = text.split(BETWEEN).filter((word) => word !== '')
  if (words.some((word, i) => ID_KEY.test(word) && known.has(words[i + 1] ?? ''))) return true
  return telling.some((name) => hasWord(text, name))
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const [before = '', after = ''] = [text[at - 1], text[at + word.length]]
    if (!WORD.test(before) && !WORD.test(after)) return true
  }
  return false
}

/** Undefined for what is no JSON. */
function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch {
    return undefined
  }
}
