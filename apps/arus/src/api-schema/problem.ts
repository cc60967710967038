/** What every refusal looks like. */
import Type, { type Static } from 'typebox'

/** RFC 9457 problem document. */
export const ProblemSchema = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  request_id: Type.String(),
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), reason: Type.String() }))),
})
export type Problem = Static<typeof ProblemSchema>
