import { describe, expect, test } from 'vitest'
import { NOTHING_WRONG } from './append-loop.ts'
import { fillDisk, type Resource, whyNoSmallDisk } from './full-disk.ts'

const reason = whyNoSmallDisk()

describe.skipIf(reason !== null)(`a full disk (${reason ?? 'a tmpfs of 1 MB'})`, () => {
  test.each<[Resource, number]>([
    ...[0, 1, 2, 3, 4, 5].map((pages): [Resource, number] => ['pages', pages]),
    ...[0, 1, 2, 3, 5, 8].map((names): [Resource, number] => ['names', names]),
  ])(
    'with %s for %i more: clean errors, a readable table, and on when there is room',
    async (resource, free) => {
      const found = await fillDisk(resource, free)
      expect(found.outcomes).toContain('failed')
      expect(found.outcomes).not.toContain('unknown')
      expect(new Set(found.codes)).toEqual(new Set(['DELTA_STORAGE_FULL']))
      expect(found.verdict).toMatchObject(NOTHING_WRONG)
      expect(found.readableFiles).toBe(8 + found.outcomes.filter((outcome) => outcome !== 'failed').length)
      expect(found.afterwards).toBe(found.readableFiles + 1)
      expect(found.temporaryFiles).toEqual([])
    },
  )
})
