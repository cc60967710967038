import { expect, test } from 'vitest'
import { NOTHING_WRONG } from './append-loop.ts'
import { runKillCycles } from './kill-cycles.ts'

test('kill -9 inside commits loses, doubles and tears none, and the next open tidies up', async () => {
  const report = await runKillCycles({ provedKillsMin: 60, seed: 1 })
  for (const verdict of report.verdicts) expect(verdict).toMatchObject(NOTHING_WRONG)
  expect(report.leftOvers).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(report.kills / 2)
  expect(report.provedKills / report.kills).toBeGreaterThan(0.3)
}, 300_000)
