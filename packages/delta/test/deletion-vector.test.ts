import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeBase85,
  deletionVectorId,
  deletionVectorPath,
  readDeletionVector,
} from '../src/deletion-vector.ts'
import { LocalStorage } from '../src/index.ts'
import { decodeRoaring64 } from '../src/roaring-bitmap.ts'
import { encodeRoaring64 } from './roaring64-encode.ts'

describe('a roaring bitmap', () => {
  const sparse = fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 34 }), { maxLength: 200 })
  const dense = fc
    .record({
      from: fc.integer({ min: 0, max: 200_000 }),
      length: fc.integer({ min: 0, max: 70_000 }),
      step: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ from, length, step }) => Array.from({ length }, (_, i) => from + i * step))

  test.each(['array', 'run'] as const)('gives back any rows, in %s containers', (kind) => {
    fc.assert(
      fc.property(fc.oneof(sparse, dense), (rows) => {
        const sorted = [...rows].sort((a, b) => a - b)
        expect([...decodeRoaring64(encodeRoaring64(sorted, kind))]).toEqual(sorted)
      }),
      { numRuns: 40 },
    )
  })

  test('cut short or changed is refused by name or read, never anything else', () => {
    const whole = encodeRoaring64([1, 5, 70_000, 2 ** 33], 'run')
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeRoaring64(whole.subarray(0, length)), String(length)).toThrowError(
        expect.objectContaining({ code: 'DELTA_FILE_CORRUPT' }),
      )
    }
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        (at, byte) => {
          const changed = Uint8Array.from(whole)
          changed[at] = byte
          try {
            decodeRoaring64(changed)
          } catch (error) {
            expect(error).toMatchObject({ code: 'DELTA_FILE_CORRUPT' })
          }
        },
      ),
    )
  })
})

describe('where a vector is', () => {
  // The examples of the protocol, "Deletion Vector Descriptor Schema".
  test('relative to the table, with a prefix or without', () => {
    const vector = {
      storageType: 'u',
      pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
      offset: 4,
      sizeInBytes: 40,
      cardinality: 6,
    }
    expect(deletionVectorPath(vector)).toBe('ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin')
    expect(deletionVectorPath({ ...vector, pathOrInlineDv: vector.pathOrInlineDv.slice(2) })).toBe(
      'deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin',
    )
    expect(deletionVectorId(vector)).toBe('uab^-aqEH.-t@S}K{vb[*k^@4')
  })

  test('absolute, and inline', () => {
    const absolute = {
      storageType: 'p',
      pathOrInlineDv: 's3://mytable/deletion_vector.bin',
      offset: 4,
      sizeInBytes: 40,
      cardinality: 6,
    }
    expect(deletionVectorPath(absolute)).toBe('s3://mytable/deletion_vector.bin')
    const inline = {
      storageType: 'i',
      pathOrInlineDv: 'wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L',
      sizeInBytes: 40,
      cardinality: 6,
    }
    expect(deletionVectorPath(inline)).toBeNull()
    expect([...decodeRoaring64(decodeBase85(inline.pathOrInlineDv).subarray(0, 40))]).toEqual([
      3, 4, 7, 11, 18, 29,
    ])
    expect(() => deletionVectorPath({ ...inline, storageType: 'x' })).toThrowError(/storage type "x"/)
  })

  test('a last block padded with # stands for fewer bytes', async () => {
    const vector = {
      storageType: 'i',
      pathOrInlineDv: '^Bg9^0rr910000000000iXQKl0rr91000005c8Xg##093',
      sizeInBytes: 34,
      cardinality: 1,
    }
    expect(decodeBase85(vector.pathOrInlineDv)).toHaveLength(34)
    expect([...(await readDeletionVector(new LocalStorage('.'), vector))]).toEqual([3])
    expect([...decodeBase85('00000#003$')]).toEqual([0, 0, 0, 0, 0, 1, 82])
    for (const text of ['#####', '##z$#', '#$$$$', '00000%%%%%', '##09300000'])
      expect(() => decodeBase85(text)).toThrow(expect.objectContaining({ code: 'DELTA_LOG_CORRUPT' }))
  })

  test.each([-1, 2 ** 40])('offset %d, outside its file, is refused', async (offset) => {
    const vector = {
      storageType: 'p',
      pathOrInlineDv: import.meta.filename,
      offset,
      sizeInBytes: 4,
      cardinality: 1,
    }
    await expect(readDeletionVector(new LocalStorage('.'), vector)).rejects.toMatchObject({
      code: 'DELTA_FILE_CORRUPT',
    })
  })
})
