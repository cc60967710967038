import { isShortened } from '@arus/recommenders'
import { expect, test } from 'vitest'
import { allowanceOf, type Incumbent } from './gate.ts'
import { choiceText, servingFormsOf, servingReason } from './serving-report.ts'

const lowPass = { kind: 'low-pass', options: {} } as const
const short = { kind: 'short-low-pass', options: { rowLength: 50 } } as const
const blend = {
  kind: 'blend',
  recencyExponent: 0.5,
  parts: [
    { choice: short, weight: 1 },
    { choice: { kind: 'walk', options: {} }, weight: 0.2 },
  ],
} as const
const serving = [
  { choice: short, score: 0.18, answerCpuMicros: 99.6 },
  { choice: lowPass, score: 0.2, answerCpuMicros: 400 },
]

test('a version says as what it is served, at what cost, and what the whole costs', () => {
  const forms = servingFormsOf({ serving, choice: short })
  expect(forms).toEqual([
    { form: 'low-pass in rows of 50', score: 0.18, answer_cpu_us: 100, is_chosen: true },
    { form: 'low-pass', score: 0.2, answer_cpu_us: 400, is_chosen: false },
  ])
  expect(servingReason(forms, 0.1)).toBe(
    'served as low-pass in rows of 50, the cheapest form within 10 % of the best on validation data (0.1800 at 100 µs of CPU an answer; whole 0.2000 at 400 µs)',
  )
  expect(servingReason(servingFormsOf({ serving, choice: lowPass }), 0.025)).toMatch(
    /^served whole, since no cheaper form is within 2.5 %/,
  )
  expect(servingReason([], 0.02)).toBeNull()
  expect(choiceText(blend)).toBe('low-pass in rows of 50 + 0.2 walk, recency 0.5')
})

test('the tolerance holds against a whole model in place, not against one that is shortened', () => {
  const inPlace = (choice: typeof lowPass | typeof short, kind: string = choice.kind) =>
    ({ kind, refit: { options: { choice, walk: {} } } }) as Incumbent
  const allowed = (chosen: string, choice: typeof lowPass | typeof blend, incumbent: Incumbent | null) =>
    allowanceOf(chosen, { choice, walk: {} }, { incumbent, servingTolerance: 0.02 })
  expect([isShortened(blend), isShortened(lowPass)]).toEqual([true, false])
  expect(allowed('blend', blend, inPlace(lowPass))).toBe(0.02)
  expect(allowed('blend', blend, inPlace(short))).toBe(0)
  expect(allowed('blend', blend, inPlace(lowPass, 'walk'))).toBe(0)
  expect(allowed('walk', blend, inPlace(lowPass))).toBe(0)
  expect(allowed('low-pass', lowPass, inPlace(lowPass))).toBe(0)
  expect(allowed('blend', blend, null)).toBe(0)
})
