import { type DataType, decimalOf, type StructField } from './schema.ts'

const INTEGERS: ReadonlySet<string> = new Set(['byte', 'short', 'integer', 'long'])

/**
 * True when every value of one type fits another without loss, values out of range being refused when they are cast:
 * integers among one another, integers and decimals into wider decimals and floats, float into double, and the same within
 * arrays, maps and structs of the same fields. Text is never read as a number, a number never written as text, an
 * instant never taken for a local time.
 */
export function isAssignable(from: DataType, to: DataType): boolean {
  if (typeof from === 'string' || typeof to === 'string') return isPrimitiveAssignable(from, to)
  if (from.type === 'array' && to.type === 'array') return isAssignable(from.elementType, to.elementType)
  if (from.type === 'map' && to.type === 'map')
    return isAssignable(from.keyType, to.keyType) && isAssignable(from.valueType, to.valueType)
  if (from.type === 'struct' && to.type === 'struct') {
    return (
      from.fields.length === to.fields.length &&
      to.fields.every((field) => {
        const found = fieldNamed(from.fields, field.name)
        return found !== undefined && isAssignable(found.type, field.type)
      })
    )
  }
  return false
}

/** The field of a name, letter case aside, as the protocol compares names. */
export function fieldNamed(fields: readonly StructField[], name: string): StructField | undefined {
  return (
    fields.find((field) => field.name === name) ??
    fields.find((field) => field.name.toLowerCase() === name.toLowerCase())
  )
}

function isPrimitiveAssignable(from: DataType, to: DataType): boolean {
  if (from === to || from === 'void') return true
  if (typeof from !== 'string' || typeof to !== 'string') return false
  const [wide, narrow] = [decimalOf(to), decimalOf(from)]
  if (INTEGERS.has(from)) return INTEGERS.has(to) || to === 'float' || to === 'double' || wide !== null
  if (narrow !== null) {
    if (INTEGERS.has(to)) return narrow.scale === 0
    return to === 'float' || to === 'double' || (wide !== null && wide.scale >= narrow.scale)
  }
  return from === 'float' && to === 'double'
}
