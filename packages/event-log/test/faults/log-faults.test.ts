import { describe, expect, test } from 'vitest'
import { fillDisk, whyNoSmallDisk } from './full-disk.ts'
import { seededRandom } from './seeded-random.ts'
import { tornCommits } from './torn-commits.ts'
import { zeroedPages } from './zeroed-pages.ts'

test('a power cut in a commit, at any of its pages, leaves what was acknowledged and takes appends', async () => {
  const { wrong, damaged } = await tornCommits(25, seededRandom(1))
  expect(wrong).toEqual([])
  expect(damaged).toBeGreaterThan(50)
})

test('a page that was zeroed is told or was not needed; nothing else is served', async () => {
  const { pages, detected, wrong } = await zeroedPages(8)
  expect(wrong).toEqual([])
  expect(pages).toBeGreaterThanOrEqual(8)
  expect(detected).toBeGreaterThan(4)
})

const reason = whyNoSmallDisk()

describe.skipIf(reason !== null)(`a full disk (${reason ?? 'a tmpfs of 4 MB'})`, () => {
  test.each([0, 3, 8, 20])(
    'with %i pages left: refused or kept, readable, and on when there is room',
    async (free) => {
      const { wrong, failures, goesOn } = await fillDisk(free)
      expect(wrong).toEqual([])
      expect(goesOn).toBe(true)
      expect(new Set(failures)).toEqual(new Set(['LOG_FULL']))
    },
  )
})
