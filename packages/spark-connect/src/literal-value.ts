import { dateOfDays, dateTimeOfMicros, floorDivide } from './calendar.ts'
import { SparkError } from './errors.ts'
import type { Expression_Literal as Literal } from './protocol/spark/connect/expressions_pb.ts'

/** The JavaScript value of a literal that the server answered. */
export function literalValue({ literalType }: Literal): unknown {
  switch (literalType.case) {
    case 'null':
      return null
    case 'decimal':
      return literalType.value.value
    case 'date':
      return dateOfDays(literalType.value)
    case 'timestamp':
      return new Date(Number(floorDivide(literalType.value, 1000n)))
    case 'timestampNtz':
      return dateTimeOfMicros(literalType.value)
    case 'array':
      return literalType.value.elements.map(literalValue)
    case 'specializedArray':
      return literalType.value.valueType.value?.values ?? []
    case 'map': {
      const { keys, values } = literalType.value
      return new Map(keys.map((key, index) => [literalValue(key), literalValue(values[index]!)]))
    }
    case 'binary':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return literalType.value
    default:
      throw new SparkError('SPARK_TYPE_UNSUPPORTED', `Literals of type ${literalType.case} are not read`)
  }
}
