import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { concurrently } from '../src/concurrently.ts'
import { type Storage, temporaryName } from '../src/index.ts'

/** An empty place for a table, and what the suite needs to know of it. */
export interface StorageUnderTest {
  readonly storage: Storage
  /** Another adapter on the same place, as another process would have. */
  readonly another: Storage
  /** Puts a file beside the table and returns the URI by which a log would name it. */
  putOutside(name: string, bytes: Uint8Array): Promise<string>
  close(): Promise<void>
}

const RACERS = 64
const NAMES = [
  'plain',
  'day=2024-01-01 00%3A00',
  "a+b&c#d?e'f",
  'ünïcode',
  '\u{1f600}',
  '\uffee',
  'x'.repeat(200),
]
const OUT_OF_PLACE = ['../a', 'a/../b', 'a//b', './a', 'a/', 'a/.', '..', 'a\0b']

/** What the doc comments of `Storage` promise, on one adapter. */
export function storageContract(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    let place: StorageUnderTest
    let storage: Storage
    beforeEach(async () => {
      place = await open()
      storage = place.storage
    })
    afterEach(() => place.close())

    describe('files', () => {
      test('one that is not there is not found, and neither is a folder', async () => {
        await storage.put('folder/file', bytes('x'))
        for (const path of ['none', 'folder', 'folder/none', 'folder/file/below']) {
          await expect(storage.read(path)).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
        }
      })

      test('what was written reads the same through every adapter, whatever its size', async () => {
        for (const sizeBytes of [0, 1, 5_000_000]) {
          const content = pattern(sizeBytes, sizeBytes)
          await storage.put(`size ${sizeBytes}`, content)
          expect(await storage.putIfAbsent(`new ${sizeBytes}`, content)).toBe('created')
          for (const path of [`size ${sizeBytes}`, `new ${sizeBytes}`]) {
            expect(same(await place.another.read(path), content)).toBe(true)
          }
        }
      })

      test('a buffer that was read belongs to the reader', async () => {
        await storage.put('file', bytes('abc'))
        ;(await storage.read('file')).fill(0)
        expect(text(await storage.read('file'))).toBe('abc')
      })

      test('names may hold anything a file name may', async () => {
        for (const part of NAMES) await storage.put(`${part}/${part}.json`, bytes(part))
        for (const part of NAMES) {
          expect(text(await place.another.read(`${part}/${part}.json`))).toBe(part)
          expect(await storage.listNames(part)).toEqual([`${part}.json`])
          await storage.delete(`${part}/${part}.json`)
        }
        expect(await storage.listData()).toEqual([])
      })

      test('deleting is seen by all; deleting what is not there is no error', async () => {
        await storage.put('folder/file', bytes('x'))
        await place.another.delete('folder/file')
        await storage.delete('folder/file')
        await storage.delete('none/none')
        await expect(storage.read('folder/file')).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
        expect(await storage.putIfAbsent('folder/file', bytes('y'))).toBe('created')
      })
    })

    describe('writers at once', () => {
      test('putIfAbsent leaves a file that is there as it is', async () => {
        expect(await storage.putIfAbsent('_delta_log/0.json', bytes('first'))).toBe('created')
        expect(await place.another.putIfAbsent('_delta_log/0.json', bytes('second'))).toBe('exists')
        expect(text(await storage.read('_delta_log/0.json'))).toBe('first')
      })

      test('putIfAbsent does not take the same bytes of another write for its own', async () => {
        await storage.put('put', bytes('same'))
        expect(await storage.putIfAbsent('put', bytes('same'))).toBe('exists')
        expect(await storage.putIfAbsent('created', bytes('same'))).toBe('created')
        expect(await place.another.putIfAbsent('created', bytes('same'))).toBe('exists')
      })

      test(`of ${RACERS} racing writers exactly one creates the file, and all then read it`, async () => {
        for (let version = 0; version < 5; version++) {
          const path = `_delta_log/${version}.json`
          const racers = Array.from({ length: RACERS }, (_, racer) => racer)
          const outcomes = await Promise.all(
            racers.map(async (racer) => {
              const writer = racer % 2 === 0 ? storage : place.another
              const outcome = await writer.putIfAbsent(path, bytes(`writer ${racer}`))
              return { outcome, seen: text(await writer.read(path)) }
            }),
          )
          const winners = racers.filter((racer) => outcomes[racer]!.outcome === 'created')
          expect(winners).toHaveLength(1)
          expect(new Set(outcomes.map(({ seen }) => seen))).toEqual(new Set([`writer ${winners[0]}`]))
        }
      })

      test('readers of a file that is being replaced see whole files only', async () => {
        const contents = [pattern(1, 70_000), pattern(2, 10), pattern(3, 300_000)]
        await storage.put('file', contents[0]!)
        let isWriting = true
        const reading = Promise.all(
          [storage, place.another].map(async (reader) => {
            while (isWriting) {
              const seen = await reader.read('file')
              expect(contents.some((content) => same(content, seen))).toBe(true)
            }
          }),
        )
        for (let i = 0; i < 30; i++) await storage.put('file', contents[i % 3]!)
        isWriting = false
        await reading
        expect(same(await place.another.read('file'), contents[29 % 3]!)).toBe(true)
      })

      test('a listing beside writers has every file that was there before, once and in order', async () => {
        const before = Array.from({ length: 50 }, (_, i) => `a${String(i).padStart(3, '0')}`)
        await concurrently(before, 8, (file) => storage.put(`log/${file}`, bytes(file)))
        const writing = concurrently(before, 8, async (file) => {
          await storage.put(`log/b${file}`, bytes(file))
          await storage.delete(`log/b${file}`)
        })
        for (let i = 0; i < 10; i++) {
          const names = await place.another.listNames('log')
          expect(names.filter((name) => name.startsWith('a'))).toEqual(before)
          const paths = (await place.another.list('log')).map((file) => file.path)
          expect(paths.filter((path) => path.startsWith('log/a'))).toEqual(before.map((n) => `log/${n}`))
        }
        await writing
      })
    })

    describe('listings', () => {
      test('show the files directly in a folder, with size and time, and no folders', async () => {
        const startMs = Date.now()
        for (const path of ['root', 'log/a', 'log/b', 'log/deeper/c', 'logs/d']) {
          await storage.put(path, bytes(path))
        }
        const files = await place.another.list('log')
        expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
          ['log/a', 5],
          ['log/b', 5],
        ])
        for (const { modifiedMs } of files) expect(Math.abs(modifiedMs - startMs)).toBeLessThan(120_000)
        expect(await storage.listNames('log')).toEqual(['a', 'b'])
        expect((await storage.list('')).map((file) => file.path)).toEqual(['root'])
        expect(await storage.list('none')).toEqual([])
        expect(await storage.listNames('none')).toEqual([])
      })

      test('are in order of UTF-8 bytes, and begin after the name given', async () => {
        const names = ['0', '00', '1', 'A', 'a', 'a.b', 'a0', 'ÿ', '\ud7ff', '\uffee', '\u{1f600}']
        const ordered = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(ordered).not.toEqual([...names].sort())
        await concurrently(names, 4, (file) => storage.put(`log/${file}`, bytes('')))
        expect(await storage.listNames('log')).toEqual(ordered)
        for (const startAfter of [...names, 'a/', 'zzz', '\ue000']) {
          const expected = ordered.filter(
            (file) => Buffer.compare(Buffer.from(file), Buffer.from(startAfter)) > 0,
          )
          expect(await storage.listNames('log', startAfter)).toEqual(expected)
          expect((await storage.list('log', startAfter)).map((file) => file.path)).toEqual(
            expected.map((file) => `log/${file}`),
          )
        }
      })

      test('reach past one page', async () => {
        const names = Array.from({ length: 2_100 }, (_, i) => `${String(i).padStart(20, '0')}.json`)
        await concurrently(names, 16, (file) => storage.put(`_delta_log/${file}`, bytes('x')))
        expect(await storage.listNames('_delta_log')).toEqual(names)
        expect(await storage.list('_delta_log')).toHaveLength(2_100)
        expect(await storage.listNames('_delta_log', names[2_097])).toEqual(names.slice(2_098))
      }, 120_000)

      test('of data have every file below the root but those of the log', async () => {
        const data = ['a.parquet', 'day=1/b.parquet', 'day=1/hour=2/c.parquet', '_change_data/d.parquet']
        for (const path of [...data, '_delta_log/0.json', '_delta_log/_sidecars/e.parquet']) {
          await storage.put(path, bytes(path))
        }
        const files = await place.another.listData()
        expect(files.map((file) => file.path)).toEqual([...data].sort())
        expect(files.map((file) => file.sizeBytes)).toEqual([...data].sort().map((path) => path.length))
      })

      test('show no temporary files', async () => {
        for (const folder of ['_delta_log', 'day=1']) {
          await storage.put(`${folder}/file`, bytes('x'))
          const temporary = `${folder}/${temporaryName('.parquet')}`
          await storage.put(temporary, bytes('temporary'))
          expect(text(await place.another.read(temporary))).toBe('temporary')
          expect(await storage.listNames(folder)).toEqual(['file'])
          expect(await storage.list(folder)).toHaveLength(1)
        }
        expect((await storage.listData()).map((file) => file.path)).toEqual(['day=1/file'])
      })
    })

    describe('local files', () => {
      test('one that was published is part of the table for everyone', async () => {
        const paths = ['part-1.parquet', 'day=a%20b/part 2.parquet']
        for (const path of paths) writeLocally(storage, path, pattern(7, 100_000))
        await storage.publish(paths)
        expect((await place.another.listData()).map((file) => file.path)).toEqual([...paths].sort())
        await place.another.ensureLocal(paths)
        for (const path of paths) {
          expect(same(await place.another.read(path), pattern(7, 100_000))).toBe(true)
          expect(same(readFileSync(place.another.localPath(path)), pattern(7, 100_000))).toBe(true)
          expect(same(readFileSync(storage.localPath(path)), pattern(7, 100_000))).toBe(true)
        }
      })

      test('one that was put is found at its local path after ensureLocal, every time', async () => {
        await storage.putIfAbsent('_delta_log/c.checkpoint.parquet', bytes('checkpoint'))
        for (let i = 0; i < 3; i++) {
          const paths = Array.from({ length: 10 }, () => '_delta_log/c.checkpoint.parquet')
          await Promise.all([place.another.ensureLocal(paths), place.another.ensureLocal(paths)])
          expect(readFileSync(place.another.localPath(paths[0]!), 'utf8')).toBe('checkpoint')
        }
      })

      test('one that is not there cannot be made local', async () => {
        await storage.put('there', bytes('x'))
        await expect(storage.ensureLocal(['there', 'none'])).rejects.toMatchObject({
          code: 'DELTA_NOT_FOUND',
          message: expect.stringContaining('none'),
        })
      })

      test('publishing what was not written is refused by name', async () => {
        await expect(storage.publish(['day=1/none.parquet'])).rejects.toMatchObject({
          code: 'DELTA_NOT_FOUND',
          message: expect.stringContaining('day=1/none.parquet'),
        })
        await storage.publish([])
      })

      test('a local path is the same each time, and another for every file', () => {
        const paths = ['a', 'a/b', 'a%2Fb', 'b', 'day=1/a']
        const local = paths.map((path) => storage.localPath(path))
        expect(paths.map((path) => storage.localPath(path))).toEqual(local)
        expect(new Set(local).size).toBe(paths.length)
      })
    })

    describe('paths', () => {
      test('that leave the table or name nothing are refused', async () => {
        for (const path of OUT_OF_PLACE) {
          await refused(() => storage.read(path))
          await refused(() => storage.put(path, bytes('x')))
          await refused(() => storage.putIfAbsent(path, bytes('x')))
          await refused(() => storage.delete(path))
          await refused(() => storage.list(path))
          await refused(() => storage.listNames(path))
          await refused(() => storage.ensureLocal([path]))
          await refused(() => storage.publish([path]))
          expect(() => storage.localPath(path)).toThrow(
            expect.objectContaining({ code: 'DELTA_PATH_UNSUPPORTED' }),
          )
        }
      })

      test('outside the table are read by URI', async () => {
        const uri = await place.putOutside('out side%.parquet', bytes('outside'))
        expect(text(await storage.read(uri))).toBe('outside')
        await storage.ensureLocal([uri])
        expect(readFileSync(storage.localPath(uri), 'utf8')).toBe('outside')
        const missing = uri.replace('parquet', 'none')
        await expect(storage.read(missing)).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
      })

      test('outside the table are never written, deleted or listed', async () => {
        const uri = await place.putOutside('outside.parquet', bytes('outside'))
        await refused(() => storage.put(uri, bytes('x')))
        await refused(() => storage.putIfAbsent(uri, bytes('x')))
        await refused(() => storage.delete(uri))
        await refused(() => storage.publish([uri]))
        await refused(() => storage.list(uri))
        expect(text(await storage.read(uri))).toBe('outside')
      })

      test('of schemes the adapter does not know are refused', async () => {
        for (const uri of ['hdfs://host/a.parquet', 'https://host/a.parquet']) {
          await refused(() => storage.read(uri))
          await refused(() => storage.ensureLocal([uri]))
        }
      })
    })

    test('removeStale leaves the table and writers at work alone', async () => {
      const temporary = `_delta_log/${temporaryName()}`
      await storage.put(temporary, bytes('at work'))
      await storage.put('_delta_log/0.json', bytes('commit'))
      await storage.put('part.parquet', bytes('data'))
      await place.another.removeStale()
      expect(text(await storage.read(temporary))).toBe('at work')
      expect(await storage.listNames('_delta_log')).toEqual(['0.json'])
      expect(text(await storage.read('part.parquet'))).toBe('data')
    })

    test('any history of writes and deletes leaves what a map would hold', async () => {
      const path = fc.constantFrom('a', 'b', 'f/a', 'f/b', 'f/g/a')
      const step = fc.oneof(
        fc.record({ kind: fc.constantFrom('put', 'putIfAbsent'), path, content: fc.string() }),
        fc.record({ kind: fc.constant('delete'), path, content: fc.constant('') }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const expected = new Map<string, string>()
          for (const { kind, path, content } of steps) {
            if (kind === 'delete') {
              await storage.delete(path)
              expected.delete(path)
            } else if (kind === 'put') {
              await storage.put(path, bytes(content))
              expected.set(path, content)
            } else {
              const outcome = await storage.putIfAbsent(path, bytes(content))
              expect(outcome).toBe(expected.has(path) ? 'exists' : 'created')
              if (outcome === 'created') expected.set(path, content)
            }
          }
          const files = await place.another.listData()
          expect(files.map((file) => file.path)).toEqual([...expected.keys()].sort())
          for (const file of files) {
            expect(text(await place.another.read(file.path))).toBe(expected.get(file.path))
            await storage.delete(file.path)
          }
        }),
        { numRuns: 20 },
      )
    })
  })
}

async function refused(call: () => Promise<unknown>): Promise<void> {
  await expect(call()).rejects.toMatchObject({ code: 'DELTA_PATH_UNSUPPORTED' })
}

function writeLocally(storage: Storage, path: string, content: Uint8Array): void {
  mkdirSync(dirname(storage.localPath(path)), { recursive: true })
  writeFileSync(storage.localPath(path), content)
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function text(content: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)
}

/** Bytes that tell torn and mixed files from whole ones: each depends on the seed and its place. */
function pattern(seed: number, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (seed * 31 + i * 7 + (i >> 8)) & 255)
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
