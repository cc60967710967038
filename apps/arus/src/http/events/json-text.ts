import type { Api } from '../api-deps.ts'
import { requestInvalid } from '../problem.ts'
import { parseJson } from './parse-events.ts'

/** JSON bodies as other products' libraries send them: as JSON, or as plain text, which a beacon may send to any origin. */
export function jsonText(scope: Api): void {
  scope.addContentTypeParser(
    ['application/json', 'text/plain'],
    { parseAs: 'string' },
    (_request, body, done) => {
      let value: unknown
      try {
        value = parseJson(body as string)
      } catch (error) {
        done(error instanceof Error ? error : requestInvalid(String(error)))
        return
      }
      done(null, value)
    },
  )
}
