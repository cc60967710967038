import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCommit } from '../src/actions.ts'

const action = fc
  .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
  .map((value) => ({ commitInfo: value }))
const parse = (text: string) => parseCommit(new TextEncoder().encode(text), 'commit.json')

describe('a commit formatted over many lines', () => {
  test('holds the same actions as one with an action a line', () => {
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 1 }),
        fc.constantFrom('', '\n', '\n\n', ' '),
        (actions, between) => {
          const plain = actions.map((one) => JSON.stringify(one)).join('\n')
          const formatted = actions.map((one) => JSON.stringify(one, null, 2)).join(between)
          expect(parse(formatted)).toEqual(parse(plain))
        },
      ),
    )
  })

  test.each(['{\n "add": {', '{\n}\n}', '{\n}\n{"add": "a"', '{\n "commitInfo": {}} text'])(
    'and torn or followed by what is no object is corrupt: %j',
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'DELTA_LOG_CORRUPT' }))
    },
  )
})
