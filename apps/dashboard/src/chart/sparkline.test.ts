import { expect, test } from 'vitest'
import { sparkPoints } from './sparkline.tsx'

test('runs from left to right, zero at the bottom and the largest at the top', () => {
  expect(sparkPoints([0, 5, 10])).toBe('0,26 50,14 100,2')
})

test('fewer than two values draw nothing, and zeros a line at the bottom', () => {
  expect(sparkPoints([3])).toBe('')
  expect(sparkPoints([0, 0])).toBe('0,26 100,26')
})
