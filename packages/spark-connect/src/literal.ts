import type { MessageInitShape } from '@bufbuild/protobuf'
import { daysOf, localMicrosOf, longOf, microsOf } from './encode-column.ts'
import { SparkError } from './errors.ts'
import type { Expression_LiteralSchema, ExpressionSchema } from './protocol/spark/connect/expressions_pb.ts'

export type Expression = MessageInitShape<typeof ExpressionSchema>
type Literal = MessageInitShape<typeof Expression_LiteralSchema>
type LiteralType = NonNullable<Literal['literalType']>

/** Parameters of a statement: by position for `?`, by name for `:name`. */
export type SqlParameters = readonly unknown[] | Readonly<Record<string, unknown>>

const LITERAL_TYPES = [
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamp_ntz',
] as const

/** A type whose values JavaScript's own cannot tell apart. */
export type TypedLiteral = (typeof LITERAL_TYPES)[number] | 'decimal'

/** A value with its SQL type; made by `typed`. */
export class TypedValue {
  readonly value: unknown
  readonly type: TypedLiteral

  constructor(value: unknown, type: TypedLiteral) {
    this.value = value
    this.type = type
  }
}

/**
 * A parameter of a type other than the one its JavaScript value has by itself: `typed('12.30', 'decimal')`,
 * `typed('2024-02-29', 'date')`, `typed(1, 'double')`.
 */
export function typed(value: unknown, type: TypedLiteral): TypedValue {
  return new TypedValue(value, type)
}

/**
 * The SQL value of a JavaScript value: whole numbers that fit are `int`, then `bigint`, other numbers `double`; `bigint`
 * is `bigint`, `Date` `timestamp`, `Uint8Array` `binary`; arrays, `Map`s and plain objects are arrays, maps and structs.
 * Throws `SPARK_VALUE_INVALID`.
 */
export function expressionOf(value: unknown): Expression {
  if (Array.isArray(value))
    return call(
      'array',
      value.map((item) => expressionOf(item)),
    )
  if (value instanceof Map)
    return call(
      'map',
      [...value].flatMap(([key, item]) => [expressionOf(key), expressionOf(item)]),
    )
  if (isPlainObject(value)) {
    const fields = Object.entries(value).flatMap(([name, field]) => [expressionOf(name), expressionOf(field)])
    return call('named_struct', fields)
  }
  return { exprType: { case: 'literal', value: literalOf(value) } }
}

/** The literal of a value that is no collection. */
export function literalOf(value: unknown): Literal {
  return { literalType: value instanceof TypedValue ? typedLiteral(value) : plainLiteral(value) }
}

function plainLiteral(value: unknown): LiteralType {
  if (value === null || value === undefined)
    return { case: 'null', value: { kind: { case: 'null', value: {} } } }
  if (typeof value === 'boolean') return { case: 'boolean', value }
  if (typeof value === 'string') return { case: 'string', value }
  if (typeof value === 'bigint')
    return { case: 'long', value: longOf(value, { column: 'parameter', type: 'long' }) }
  if (typeof value === 'number') {
    // -0 is a double: no whole number of SQL is it.
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { case: 'double', value }
    return (value | 0) === value ? { case: 'integer', value } : { case: 'long', value: BigInt(value) }
  }
  if (value instanceof Date) return typedLiteral(new TypedValue(value, 'timestamp'))
  if (value instanceof Uint8Array) return { case: 'binary', value: new Uint8Array(value) }
  throw new SparkError('SPARK_VALUE_INVALID', `A parameter of type ${typeof value} has no SQL value`)
}

function typedLiteral({ value, type }: TypedValue): LiteralType {
  const place = { column: 'parameter', type }
  switch (type) {
    case 'byte':
    case 'short':
    case 'integer':
      return { case: type, value: Number(longOf(value, place)) }
    case 'long':
      return { case: type, value: longOf(value, place) }
    case 'float':
    case 'double':
      return { case: type, value: Number(value) }
    case 'decimal':
      return { case: 'decimal', value: { value: String(value) } }
    case 'date':
      return { case: 'date', value: daysOf(value, place) }
    case 'timestamp':
      return { case: 'timestamp', value: microsOf(value, place) }
    case 'timestamp_ntz':
      return { case: 'timestampNtz', value: localMicrosOf(value, place) }
  }
}

/** Parameters may be calls of these functions, and literals; the server refuses anything else. */
function call(functionName: 'array' | 'map' | 'named_struct', args: readonly Expression[]): Expression {
  return { exprType: { case: 'unresolvedFunction', value: { functionName, arguments: [...args] } } }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
