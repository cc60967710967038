import { expect, test } from 'vitest'
import { runOperationKills } from './operation-kills.ts'
import { OPERATIONS } from './operations.ts'

test('kill -9 inside any operation leaves all of it or nothing, and nothing that was acknowledged is lost', async () => {
  const { wrong, byOperation, cycles } = await runOperationKills({ cycles: 12, seed: 1, lanes: 2 })
  expect(wrong).toEqual([])
  const counts = [...byOperation.values()]
  expect(cycles).toBe(12)
  expect(counts.reduce((sum, { proved }) => sum + proved, 0)).toBeGreaterThan(2)
  expect(OPERATIONS).toEqual(expect.arrayContaining([...byOperation.keys()]))
}, 300_000)
