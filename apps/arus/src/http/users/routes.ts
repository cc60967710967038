import Type from 'typebox'
import { ForgottenSchema, ShopperSchema } from '../../api-schema/index.ts'
import { forgottenBody } from '../../erasure/forgotten-body.ts'
import { ArusError } from '../../errors.ts'
import { profileOf } from '../../recommend/retrieve/shopper-profile.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'

const UserParams = Type.Object({ user_id: Type.String({ minLength: 1, maxLength: 512 }) })

/** `GET` and `DELETE /users/{user_id}`. DELETE is not among the methods CORS lets through: no web page may remove a shopper. */
export function userRoutes(app: Api, { forget, live, catalogue }: ApiDeps): void {
  app.get(
    '/users/:user_id',
    {
      config: { scope: 'shoppers' },
      schema: {
        tags: ['users'],
        summary: 'What is known of a shopper now',
        description:
          'From live state: sessions, and what their history says of categories and prices they like.',
        params: UserParams,
        response: responses(ShopperSchema, [400, 404, 503]),
      },
    },
    async (request) => {
      const { user_id } = request.params
      const state = live()
      if (state === null)
        throw new ArusError('NOT_READY', 'Live state is not there now; try again in a second.')
      const [known, history] = await Promise.all([state.shopper(user_id), state.history(user_id)])
      if (known === null) throw new ArusError('NOT_FOUND', `No shopper ${JSON.stringify(user_id)} was seen.`)
      const { categories, price } = profileOf(history, catalogue())
      return {
        user_id,
        ...known,
        sessions: [...known.sessions],
        open_sessions: known.sessions.filter(({ is_open }) => is_open).length,
        categories: [...categories],
        price,
      }
    },
  )

  app.delete(
    '/users/:user_id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['users'],
        summary: 'Erase a shopper',
        description:
          'Erases a shopper, with the anonymous ids and sessions that were theirs alone, from log, live state, lake and database, and says what went and what stays. Answers when it is done, which may take minutes; the request stands whatever happens to the connection or the server, and asking again waits for the same work. Somebody unknown gives zeros. What they send afterwards is new.',
        params: UserParams,
        response: responses(ForgottenSchema, [400, 503]),
      },
    },
    async (request) => {
      const { user_id } = request.params
      return forgottenBody(user_id, await forget(user_id))
    },
  )
}
