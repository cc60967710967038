/** A JSON object whose fields may be anything. */
export type Fields = Readonly<Record<string, unknown>>

/** Where a dialect keeps a field of the canonical event: names, the first that holds something wins. */
export type FieldNames = Readonly<Record<string, readonly string[]>>

/** Canonical fields found in an object, and what is left of it. */
export interface Taken {
  readonly fields: Fields
  readonly rest: Fields
}

/** A JSON object, or nothing. */
export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null
}

/** An own field that holds something; an empty text holds nothing. */
export function given(fields: Fields, name: string): unknown {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return value === null || value === '' ? undefined : value
}

/**
 * Takes the canonical fields out of an object. Figures written as text are read; a figure that cannot be one (`"n/a"`)
 * stays in the rest, so that it neither sinks the event nor gets lost.
 */
export function take(from: Fields, names: FieldNames): Taken {
  const fields: Record<string, unknown> = {}
  const used = new Set<string>()
  for (const [field, candidates] of Object.entries(names)) {
    for (const name of candidates) {
      const value = readAs(field, given(from, name))
      if (value === undefined) continue
      fields[field] = value
      used.add(name)
      break
    }
  }
  return { fields, rest: without(from, used) }
}

/** An object without some of its fields and without those that hold nothing. */
export function without(fields: Fields, names: ReadonlySet<string>): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => !names.has(name) && value !== undefined && value !== null,
    ),
  )
}

/** UTC milliseconds of a number or of a text `Date` reads, else nothing. */
export function timeMsOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : value
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : undefined
}

function readAs(field: string, value: unknown): unknown {
  switch (field) {
    case 'price':
    case 'quantity':
      return figureOf(value, 0, field === 'price' ? 1e12 : 1e9)
    case 'position': {
      const position = figureOf(value, 1, 100_000)
      return Number.isInteger(position) ? position : undefined
    }
    case 'query':
      return typeof value === 'string' || value === undefined ? value : undefined
    default:
      return value
  }
}

function figureOf(value: unknown, least: number, most: number): number | undefined {
  const figure = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof figure === 'number' && figure >= least && figure <= most ? figure : undefined
}
