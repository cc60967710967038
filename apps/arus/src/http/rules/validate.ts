import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { PreviewFrameSchema } from '../../api-schema/rules.ts'
import { faultsOfRule } from '../../rules/new-rule.ts'
import { bodyInvalid, exactBody, placesWrong } from '../exact-body.ts'

/** Validates a rule by the schema of its kind, so that what is said of it is not said of every other kind. */
export const exactRule: FastifySchemaCompiler<TSchema> = (route) => {
  if (route.httpPart !== 'body') return exactBody(route)
  return (body: unknown) => resultOf(body, faultsOfRule(body))
}

/** The same for the rules of a preview. */
export const exactPreview: FastifySchemaCompiler<TSchema> = (route) => {
  if (route.httpPart !== 'body') return exactBody(route)
  return (body: unknown) => {
    const places = placesWrong(PreviewFrameSchema, body)
    if (places.length > 0) return resultOf(body, places)
    const { rules } = body as { readonly rules: readonly unknown[] }
    const faults = rules.flatMap((rule, i) =>
      faultsOfRule(rule).map(({ pointer, reason }) => ({ pointer: `/rules/${i}${pointer}`, reason })),
    )
    return resultOf(body, faults.slice(0, 10))
  }
}

function resultOf(body: unknown, faults: readonly { readonly pointer: string; readonly reason: string }[]) {
  return faults.length === 0 ? { value: body } : { error: bodyInvalid([...faults]) }
}
