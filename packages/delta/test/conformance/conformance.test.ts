import { existsSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { readCases } from './conformance-case.ts'
import { judge } from './judge.ts'
import { TIME_LIMIT_MS, tablesFolder } from './run-folder.ts'
import { TableReader } from './table-reader.ts'

const folder = tablesFolder()
const isThere = existsSync(folder)

describe.skipIf(!isThere)(`tables of other engines${isThere ? '' : ` (there is no ${folder})`}`, () => {
  const reader = new TableReader({ timeLimitMs: TIME_LIMIT_MS })
  afterAll(() => reader[Symbol.dispose]())

  const cases = isThere ? readCases(folder) : []
  test('are there', () => expect(cases.length).toBeGreaterThan(0))
  test.each(cases)(
    '$name is read as expected, or refused for a listed reason',
    async (one) => {
      const { kind, detail } = judge(one, await reader.read(one))
      expect(`${kind}: ${detail}`).toMatch(/^passed/)
    },
    TIME_LIMIT_MS + 5_000,
  )
})
