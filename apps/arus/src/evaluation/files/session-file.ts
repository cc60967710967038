import type { SessionEvents } from '@arus/recommenders'
import { ArusError } from '../../errors.ts'
import { fieldsOf, textRecords } from './text-records.ts'
import { timeReader } from './times.ts'

/** Which columns hold the session, the item and the time: names of the header, or numbers from 1 where there is none. */
export interface SessionColumns {
  readonly session: string
  readonly item: string
  /** Several, joined by +, are added: a date and milliseconds since. */
  readonly time: string
}

export interface SessionFile {
  readonly events: Omit<SessionEvents, 'itemCount'>
  readonly rowCount: number
  /** Rows left out: reason → how many, and the first. */
  readonly broken: ReadonlyMap<string, { readonly count: number; readonly firstLine: number }>
}

const SEPARATORS = ['\t', ',', ';', '|', ' ']

/** Columns as the command line has them: `session,item,time`. Throws `REQUEST_INVALID`. */
export function parseColumns(text: string): SessionColumns {
  const [session, item, time, ...more] = text.split(',').map((name) => name.trim())
  if (!session || !item || !time || more.length > 0)
    throw new ArusError('REQUEST_INVALID', `--columns takes three names, session,item,time; found "${text}"`)
  return { session, item, time }
}

/**
 * Events of a CSV, TSV or other separated file, plain or gzip. Ids are any text; items get their indices in `itemIndices`, which files may share,
 * sessions are numbered in each file for itself. Rows that cannot be read are counted and left out. Throws `FILE_UNREADABLE` where none can.
 */
export async function readSessionFile(
  file: string,
  columns: SessionColumns,
  itemIndices: Map<string, number>,
): Promise<SessionFile> {
  const rows = new Rows(itemIndices)
  let layout: Layout | undefined
  let line = 0
  for await (const record of textRecords(file)) {
    line += 1
    if (record.trim() === '') continue
    if (layout === undefined) {
      layout = layoutOf(record.replace(/^\uFEFF/, ''), columns, file)
      if (layout.hasHeader) continue
    }
    rows.add(fieldsOf(record, layout.separator), layout, line)
  }
  if (layout === undefined) throw new ArusError('FILE_UNREADABLE', `${file} is empty`)
  const read = rows.result()
  if (read.events.items.length === 0)
    throw new ArusError(
      'FILE_UNREADABLE',
      `${file} has no row that can be read${[...read.broken].map(([reason, { count }]) => `; ${count} with ${reason}`).join('')}`,
    )
  return read
}

interface Layout {
  readonly separator: string
  readonly hasHeader: boolean
  readonly session: number
  readonly item: number
  readonly times: readonly number[]
}

function layoutOf(first: string, columns: SessionColumns, file: string): Layout {
  const timeNames = columns.time.split('+')
  const wanted = [columns.session, columns.item, ...timeNames]
  for (const separator of SEPARATORS) {
    const names = fieldsOf(first, separator).map((name) => name.trim())
    if (!wanted.every((name) => names.includes(name))) continue
    const [session, item, ...times] = wanted.map((name) => names.indexOf(name))
    return { separator, hasHeader: true, session: session!, item: item!, times }
  }
  const numbers = wanted.map(Number)
  const [session, item, ...times] = numbers.map((number) => number - 1)
  const separator = SEPARATORS.find((one) => fieldsOf(first, one).length >= Math.max(...numbers))
  if (separator !== undefined && numbers.every((number) => Number.isInteger(number) && number > 0))
    return { separator, hasHeader: false, session: session!, item: item!, times }
  throw new ArusError(
    'FILE_UNREADABLE',
    `${file} has no columns ${wanted.join(', ')}; its first line is "${first.slice(0, 200)}"`,
  )
}

/** Rows as they are read, in arrays that grow. */
class Rows {
  readonly #itemIndices: Map<string, number>
  readonly #sessionIndices = new Map<string, number>()
  readonly #times = timeReader()
  readonly #broken = new Map<string, { count: number; firstLine: number }>()
  #sessions = new Uint32Array(1_024)
  #items = new Uint32Array(1_024)
  #count = 0
  #rowCount = 0

  constructor(itemIndices: Map<string, number>) {
    this.#itemIndices = itemIndices
  }

  add(fields: readonly string[], { session, item, times }: Layout, line: number): void {
    this.#rowCount += 1
    const sessionId = fields[session]?.trim()
    const itemId = fields[item]?.trim()
    if (!sessionId) this.#leaveOut('no session', line)
    else if (!itemId) this.#leaveOut('no item', line)
    else if (!this.#times.add(times.map((place) => fields[place]?.trim() ?? '')))
      this.#leaveOut('no time that can be read', line)
    else this.#take(sessionId, itemId)
  }

  #take(sessionId: string, itemId: string): void {
    if (this.#count === this.#items.length) {
      this.#sessions = grown(this.#sessions)
      this.#items = grown(this.#items)
    }
    this.#sessions[this.#count] = indexOf(sessionId, this.#sessionIndices)
    this.#items[this.#count] = indexOf(itemId, this.#itemIndices)
    this.#count += 1
  }

  result(): SessionFile {
    return {
      events: {
        sessionCount: this.#sessionIndices.size,
        sessions: this.#sessions.slice(0, this.#count),
        items: this.#items.slice(0, this.#count),
        timesMs: this.#times.timesMs(),
      },
      rowCount: this.#rowCount,
      broken: this.#broken,
    }
  }

  #leaveOut(reason: string, line: number): void {
    const { count, firstLine } = this.#broken.get(reason) ?? { count: 0, firstLine: line }
    this.#broken.set(reason, { count: count + 1, firstLine })
  }
}

function indexOf(id: string, indices: Map<string, number>): number {
  const known = indices.get(id)
  if (known !== undefined) return known
  indices.set(id, indices.size)
  return indices.size - 1
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
