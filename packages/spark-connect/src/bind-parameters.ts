import { dateOfDays, dateTimeOfMicros } from './calendar.ts'
import { type Expression, expressionOf, type SqlParameters } from './literal.ts'

/**
 * What may hold a marker that is none: texts, quoted names and comments. Then the markers. In that order, so that what
 * begins first is taken first. No alternative can match the same text in two ways.
 */
const TOKEN =
  /'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)|`[^`]*(?:`|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|::|(?<![\w$]):([A-Za-z_]\w*)|(\?)/gs

/** Texts of these characters mean themselves between quotes, whatever the server's settings of escapes are. */
const PLAIN = /^[\w .,:;/@+=()-]*$/

/**
 * The statement with values in place of its markers, for servers that do not bind parameters themselves: with a parser of
 * an extension Spark 4.1 and 4.2 lose them (delta-io/delta#7640, SPARK-59672). Values are written in a form that cannot end
 * a text, whatever they hold. A marker without a value stays, and the server refuses it.
 */
export function bindParameters(text: string, parameters: SqlParameters): string {
  let position = 0
  const take = (name: string | undefined): unknown =>
    isList(parameters) ? parameters[position++] : name === undefined ? undefined : parameters[name]
  return text.replace(TOKEN, (token, name: string | undefined, mark: string | undefined) => {
    if (mark === undefined ? name === undefined || isList(parameters) : !isList(parameters)) return token
    const value = take(name)
    return value === undefined ? token : sqlText(expressionOf(value))
  })
}

/** SQL of a literal, or of a call of a collection's constructor. */
function sqlText({ exprType }: Expression): string {
  if (exprType?.case === 'unresolvedFunction') {
    const { functionName, arguments: args = [] } = exprType.value
    return `${functionName}(${args.map(sqlText).join(', ')})`
  }
  const literal = exprType?.case === 'literal' ? exprType.value.literalType : undefined
  switch (literal?.case) {
    case 'boolean':
      return literal.value ? 'TRUE' : 'FALSE'
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      // The lowest number of a type is no negated number of that type.
      return `CAST('${literal.value}' AS ${SQL_TYPES[literal.case]})`
    case 'float':
    case 'double':
      return `CAST('${literal.value}' AS ${SQL_TYPES[literal.case]})`
    case 'decimal':
      return decimalText(String(literal.value.value))
    case 'string':
      return PLAIN.test(literal.value)
        ? `'${literal.value}'`
        : `CAST(X'${hex(Buffer.from(literal.value))}' AS STRING)`
    case 'binary':
      return `X'${hex(literal.value)}'`
    case 'date':
      return `DATE'${dateOfDays(literal.value)}'`
    case 'timestamp':
      return `timestamp_micros(${literal.value})`
    case 'timestampNtz':
      return `TIMESTAMP_NTZ'${dateTimeOfMicros(literal.value)}'`
    default:
      return 'NULL'
  }
}

const SQL_TYPES = {
  byte: 'TINYINT',
  short: 'SMALLINT',
  integer: 'INT',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
}

/** As many digits as are written, which is what a decimal literal means. */
function decimalText(value: string): string {
  const match = /^-?(\d+)(?:\.(\d+))?$/.exec(value)
  if (match === null) return `CAST(X'${hex(Buffer.from(value))}' AS DECIMAL(38, 18))`
  const scale = match[2]?.length ?? 0
  const precision = Math.max(match[1]!.replace(/^0+/, '').length + scale, 1)
  return `CAST('${value}' AS DECIMAL(${precision}, ${scale}))`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function isList(parameters: SqlParameters): parameters is readonly unknown[] {
  return Array.isArray(parameters)
}
