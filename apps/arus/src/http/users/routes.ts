import Type from 'typebox'
import { ForgottenSchema } from '../../api-schema/index.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'

/** `DELETE /users/{user_id}`. Not among the methods CORS lets through: no web page may remove a shopper. */
export function userRoutes(app: Api, { forget }: ApiDeps): void {
  app.delete(
    '/users/:user_id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['users'],
        summary: 'Remove a shopper',
        description: 'Removes what is stored of a shopper and says how much that was, by place.',
        params: Type.Object({ user_id: Type.String({ minLength: 1, maxLength: 512 }) }),
        response: responses(ForgottenSchema, [400, 503]),
      },
    },
    async (request) => {
      const { user_id } = request.params
      return { user_id, removed: { ...(await forget(user_id)) } }
    },
  )
}
