import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Expression } from './literal.ts'
import {
  Expression_SortOrder_NullOrdering as NullOrdering,
  Expression_SortOrder_SortDirection as SortDirection,
} from './protocol/spark/connect/expressions_pb.ts'
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
  const [withDirection, nulls] = withoutEnd(text.trim(), /\snulls\s+(first|last)$/i)
  const [expression, direction] = withoutEnd(withDirection, /\s(asc|desc)$/i)
  const isDescending = direction === 'desc'
  return {
    child: sqlOf(expression),
    direction: isDescending ? SortDirection.DESCENDING : SortDirection.ASCENDING,
    nullOrdering:
      (nulls ?? (isDescending ? 'last' : 'first')) === 'first'
        ? NullOrdering.SORT_NULLS_FIRST
        : NullOrdering.SORT_NULLS_LAST,
  }
}

function withoutEnd(text: string, end: RegExp): readonly [rest: string, word: string | undefined] {
  const match = end.exec(text)
  return match === null ? [text, undefined] : [text.slice(0, match.index).trimEnd(), match[1]!.toLowerCase()]
}
