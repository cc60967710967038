import { expect, test } from 'vitest'
import type { VersionJudgement } from '../evaluation/off-policy/judge-version.ts'
import { judgementText } from './evaluate-off-policy.ts'

const around = (mean: number, half: number) => ({ mean, low: mean - half, high: mean + half })
const judgement: VersionJudgement = {
  version: 4,
  kind: 'blend',
  reward: 'click',
  from: 0,
  to: 1,
  answer_count: 900,
  explored_count: 800,
  left_out: [{ reason: 'some events are gone', answers: 3 }],
  estimate: {
    kind: 'estimated',
    listCount: 797,
    logged: around(0.2, 0.02),
    ips: around(0.3, 0.09),
    snips: around(0.31, 0.07),
    doublyRobust: around(0.29, 0.05),
    gain: around(0.09, 0.05),
    matchCount: 150,
    effectiveSampleSize: 120.4,
    meanWeight: around(1.01, 0.1),
  },
}

test('tells the estimates, what they rest on, and what follows', () => {
  const text = judgementText(judgement)
  expect(text).toContain(
    'from 797 answers that it did not give (800 of 900 since it was trained were explored)',
  )
  expect(text).toMatch(/doubly robust +0\.29000 +0\.24000 to 0\.34000/)
  expect(text).toContain('150 of the products at the same rank; they count as 120 equally likely ones')
  expect(text).toContain('3 answers left out: some events are gone')
  expect(text).toContain('It would bring more (the interval of the gain does not hold 0).')
})

test('says how much of what it would show was never explored', () => {
  const { estimate } = judgement
  const narrow = { ...estimate, meanWeight: around(0.4, 0.1), gain: around(-0.01, 0.05) }
  const text = judgementText({ ...judgement, estimate: narrow })
  expect(text).toContain('Only about 40 % of what it would show could come up while exploring')
  expect(text).toContain('No difference to what was shown can be told')
})
