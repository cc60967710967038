import type { SchemaTree } from 'hyparquet'
import type { Leaf, LeafType } from './parquet-leaf.ts'

/** Gives a column's value in the next row; null where it has none. */
export type NextValue = () => unknown

/** Reads a leaf of the schema in one row group; null for one that is not wanted, which is null in every row then. */
export type LeafReader = (node: SchemaTree, type: LeafType) => Leaf | null

/**
 * Puts a column's values together from its leaves: structs as objects without the fields that are null, and null when none
 * is left; maps as objects; lists as arrays. A map that equals the one before is the same object.
 */
export function valuesOf(column: SchemaTree, read: LeafReader): NextValue {
  const node = nodeOf(column, {
    read,
    above: { definition: 0, repetition: 0 },
    reach: Number.POSITIVE_INFINITY,
  })
  return node === null ? () => null : node.next
}

/** The largest levels that an entry can have somewhere in the schema. */
interface Levels {
  readonly definition: number
  readonly repetition: number
}

interface Place {
  readonly read: LeafReader
  readonly above: Levels
  /** Leaves that reach this definition level in no row need no look. */
  readonly reach: number
}

/** A part of the schema that is there in some row. */
interface Node {
  readonly next: NextValue
  /** Of the leaves below; there is one at least, and all begin each value together. */
  readonly cursors: readonly Cursor[]
}

/** Goes from entry to entry of a leaf. */
class Cursor {
  readonly #leaf: Leaf
  readonly #definitionMax: number
  #entry = 0
  #value = 0

  constructor(leaf: Leaf, definitionMax: number) {
    this.#leaf = leaf
    this.#definitionMax = definitionMax
  }

  /** Levels of the entry that comes next; -1 after the last. */
  get definition(): number {
    return this.#leaf.definitionLevels[this.#entry] ?? -1
  }

  get repetition(): number {
    return this.#leaf.repetitionLevels[this.#entry] ?? -1
  }

  next(): unknown {
    const isThere = this.definition === this.#definitionMax
    this.#entry += 1
    return isThere ? this.#leaf.values[this.#value++] : null
  }
}

function nodeOf(node: SchemaTree, place: Place): Node | null {
  const levels = levelsOf(node, place.above)
  const reach = Math.min(place.reach, levels.definition)
  const [item, ...others] = node.children
  if (item === undefined) return leafNode(node, levels, { ...place, reach })
  const below = { read: place.read, above: levels, reach }
  return item.element.repetition_type === 'REPEATED' && others.length === 0
    ? repeatedNode(item, below)
    : structNode(node.children, { ...below, reach: place.reach })
}

function levelsOf({ element }: SchemaTree, above: Levels): Levels {
  const { repetition_type: repetition } = element
  return {
    definition: above.definition + (repetition === 'REQUIRED' ? 0 : 1),
    repetition: above.repetition + (repetition === 'REPEATED' ? 1 : 0),
  }
}

function leafNode(node: SchemaTree, levels: Levels, { read, reach }: Place): Node | null {
  const type = { element: node.element, definitionMax: levels.definition, repetitionMax: levels.repetition }
  const leaf = read(node, type)
  if (leaf === null || !reaches(leaf.definitionLevels, reach)) return null
  const cursor = new Cursor(leaf, levels.definition)
  return { next: () => cursor.next(), cursors: [cursor] }
}

function reaches(levels: Uint8Array, wanted: number): boolean {
  for (let i = 0; i < levels.length; i++) if ((levels[i] ?? 0) >= wanted) return true
  return false
}

function structNode(fields: readonly SchemaTree[], place: Place): Node | null {
  const parts = fields.flatMap((field) => {
    const node = nodeOf(field, place)
    return node === null ? [] : [{ name: field.element.name, ...node }]
  })
  const cursors = parts.flatMap((part) => part.cursors)
  const [first] = cursors
  if (first === undefined) return null
  const next = () => {
    if (first.definition < place.above.definition) return skip(cursors)
    const value: Record<string, unknown> = {}
    let isEmpty = true
    for (const part of parts) {
      const field = part.next()
      if (field === null) continue
      value[part.name] = field
      isEmpty = false
    }
    return isEmpty ? null : value
  }
  return { next, cursors }
}

/** A list, whose item is repeated or has it as its one field, or a map, whose item has keys and values. */
function repeatedNode(item: SchemaTree, place: Place): Node | null {
  const within = { ...place, above: levelsOf(item, place.above) }
  const parts =
    item.children.length === 0
      ? [leafNode(item, within.above, within)]
      : item.children.map((part) => nodeOf(part, within))
  const cursors = parts.flatMap((part) => part?.cursors ?? [])
  const [first] = cursors
  if (first === undefined) return null
  const finish = parts.length === 1 ? (items: readonly unknown[]) => items : sharedMaps()
  const next = () => {
    if (first.definition < place.above.definition) return skip(cursors)
    const items: unknown[] = []
    if (first.definition < within.above.definition) skip(cursors)
    else
      do for (const part of parts) items.push(part === null ? null : part.next())
      while (first.repetition === within.above.repetition)
    return finish(items)
  }
  return { next, cursors }
}

/** Makes maps of keys and values, one after the other. */
function sharedMaps(): (items: readonly unknown[]) => unknown {
  let known: { readonly items: readonly unknown[]; readonly map: unknown } | undefined
  return (items) => {
    const isKnown = known?.items.length === items.length && known.items.every((item, i) => item === items[i])
    if (known === undefined || !isKnown) {
      const pairs = items.flatMap((key, i) => (i % 2 === 0 ? [[String(key), items[i + 1]] as const] : []))
      known = { items, map: Object.fromEntries(pairs) }
    }
    return known.map
  }
}

/** Goes past a value that is not there. */
function skip(cursors: readonly Cursor[]): null {
  for (const cursor of cursors) cursor.next()
  return null
}
