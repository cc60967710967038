import { describe, expect, test } from 'vitest'
import { NOTHING_WRONG } from './append-loop.ts'
import { callsOf, failCall, type IoErrorCase, isHonest, STEPS, whyNoInjection } from './io-errors.ts'

const reason = whyNoInjection()
/** Calls of the first append, which makes every kind of call there is; `npm run faults` fails all calls of all appends. */
const CALLS_MAX = 6

describe.skipIf(reason !== null)(`I/O errors (${reason ?? 'EIO from strace'})`, () => {
  test.each(STEPS)(
    'at each %s of an append: nothing false is said, and the table is readable',
    async (step) => {
      const calls = (await callsOf(step)).slice(0, step === 'write' ? 1 : CALLS_MAX)
      expect(calls).not.toEqual([])
      for (const index of calls) {
        const found = await failCall(step, index, false)
        expect(found, `${step} ${index} was never met`).not.toBeNull()
        expectHonest(found!)
      }
    },
    300_000,
  )
})

/** What must hold whatever failed. */
function expectHonest(found: IoErrorCase): void {
  const where = `${found.step} ${found.index}: ${found.hits.join(' ')}`
  expect(found.verdict, where).toMatchObject(NOTHING_WRONG)
  expect(found.versionAfter, where).toBe(found.verdict.versionCount - 1)
  expect(found.temporaryFilesAfter, where).toEqual([])
  expect(isHonest(found), `${where}\n${JSON.stringify(found.records)}`).toBe(true)
}
