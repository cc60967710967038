import { Unmapped } from '../unmapped.ts'
import { type FieldNames, type Fields, fieldsOf, take } from './canonical-fields.ts'
import { idOfText, isId } from './derived-ids.ts'

/** A message of a dialect, on the way to canonical events. */
export interface Message {
  /** Who, what and when: fields every event of the message shares. */
  readonly shared: Fields
  /** Makes ids: the same message has the same one. Without it repeats cannot be told. */
  readonly id: unknown
  /** What the message says of the deed: one product's fields, or an order around several. */
  readonly details: Fields
  /** What else the message says; becomes properties. */
  readonly extras: Fields
  /** Its products, when each makes an event. Empty: the details are all there is. */
  readonly lines: readonly unknown[]
  /** JSON Pointer of the lines. */
  readonly linesPointer: string
  readonly names: { readonly line: FieldNames; readonly whole: FieldNames }
}

/**
 * The canonical events of a message, not yet validated: one, or one per line. What belongs to the whole (total, tax,
 * context) stands under `properties.shared` of the first line that is a product alone, so that sums count it once and a long order does
 * not repeat it. The id of line n is the message's with `:n`, from 1.
 */
export function eventsOfMessage(message: Message): unknown[] {
  const { shared, id, details, extras, lines, names } = message
  if (lines.length === 0) {
    const { fields, rest } = take(details, { ...names.whole, ...names.line })
    return [{ ...shared, ...fields, event_id: id, properties: { ...extras, ...rest } }]
  }
  const whole = take(details, names.whole)
  const products = lines.map(fieldsOf)
  const first = products.findIndex((product) => product !== null)
  return lines.map((line, index) => {
    const product = products[index] ?? null
    if (product === null) {
      return new Unmapped(line, `${message.linesPointer}/${index}`, 'a product of a list is an object')
    }
    const { fields, rest } = take(product, names.line)
    const ofAll = index === first ? { shared: { ...extras, ...whole.rest } } : {}
    return {
      ...shared,
      ...whole.fields,
      ...fields,
      event_id: lineId(id, index + 1),
      properties: { ...rest, ...ofAll },
    }
  })
}

function lineId(id: unknown, line: number): unknown {
  return isId(id) ? idOfText(`${id}:${line}`) : id
}
