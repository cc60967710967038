import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Expression } from './literal.ts'
import type { RelationSchema } from './protocol/spark/connect/relations_pb.ts'

/** A query as the protocol writes it. */
export type Relation = MessageInitShape<typeof RelationSchema>

/** An expression of SQL text. */
export function sqlOf(expression: string): Expression {
  return { exprType: { case: 'expressionString', value: { expression } } }
}

/** A column by its name, or `*`. */
export function columnOf(name: string): Expression {
  if (name === '*') return { exprType: { case: 'unresolvedStar', value: {} } }
  return { exprType: { case: 'unresolvedAttribute', value: { unparsedIdentifier: name } } }
}

/** SQL text of an expression holds no direction, so what stands behind it is taken off here. */
export function sortOrderOf(text: string) {
  const match = /^(.*?)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$/is.exec(text.trim())!
  const isDescending = match[2]?.toLowerCase() === 'desc'
  const nulls = match[3]?.toLowerCase() ?? (isDescending ? 'last' : 'first')
  return {
    child: sqlOf(match[1]!),
    direction: isDescending ? (2 as const) : (1 as const),
    nullOrdering: nulls === 'first' ? (1 as const) : (2 as const),
  }
}
