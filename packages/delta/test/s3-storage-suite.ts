import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { DeltaTable, temporaryName } from '../src/index.ts'
import { commitPath } from '../src/log-names.ts'
import { DownloadCache, S3Storage, S3Store, type S3StoreOptions } from '../src/s3/index.ts'
import { upload } from '../src/s3/upload.ts'
import type { S3Target } from './s3-environment.ts'
import { storageContract } from './storage-contract.ts'
import { idsOf, SHOP, shopRows } from './test-table.ts'

const MINUTE_MS = 60_000
/** Versions that two writers race for, with nothing between them and the store. */
const RACES = Number(process.env.ARUS_S3_RACES ?? 30)

/** The storage contract and what is S3's own, on one S3 server. */
export function s3StorageSuite(s3: S3Target): void {
  const { bucket } = s3
  const connect = (options: Partial<S3StoreOptions> = {}) => new S3Store({ ...s3, ...options })

  storageContract('S3', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'arus-s3-'))
    const prefix = `contract/${randomUUID()}`
    const stores = [connect(), connect()] as const
    const [storage, another] = stores.map((store, i) => {
      const cache = new DownloadCache({ folder: join(folder, String(i)) })
      return new S3Storage({ store, bucket, prefix: `${prefix}/lake table`, cache })
    })
    return {
      storage: storage!,
      another: another!,
      putOutside: async (name, bytes) => {
        await stores[0].put({ bucket, key: `${prefix}/${name}` }, bytes)
        return `s3://${bucket}/${prefix}/${encodeURIComponent(name)}`
      },
      close: async () => {
        for (const { key } of await stores[0].list(bucket, prefix)) await stores[0].delete({ bucket, key })
        for (const store of stores) store.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  })

  describe('a table on S3', () => {
    let folder = ''
    let store: S3Store
    let prefix = ''
    let nowMs = Date.now()
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'arus-s3-'))
      prefix = `tests/${randomUUID()}`
      store = connect()
      nowMs = Date.now()
    })
    afterEach(async () => {
      for (const { key } of await store.list(bucket, prefix)) await store.delete({ bucket, key })
      store.close()
      rmSync(folder, { recursive: true })
    })
    const storageOn = (cacheName: string, options: { sizeBytesMax?: number; store?: S3Store } = {}) =>
      new S3Storage({
        store: options.store ?? store,
        bucket,
        prefix,
        cache: new DownloadCache({ folder: join(folder, cacheName), now: () => nowMs, ...options }),
        now: () => nowMs,
      })

    test('two writers of one version: one wins, and its commit is what is there', async () => {
      const other = connect()
      const writers = [storageOn('one'), storageOn('another', { store: other })]
      for (let version = 0; version < RACES; version++) {
        const path = commitPath(version)
        const outcomes = await Promise.all(
          writers.map((writer, i) => writer.putIfAbsent(path, Buffer.from(`writer ${i}`))),
        )
        expect(outcomes.toSorted(), path).toEqual(['created', 'exists'])
        const winner = outcomes.indexOf('created')
        expect(Buffer.from(await store.read({ bucket, key: `${prefix}/${path}` })).toString()).toBe(
          `writer ${winner}`,
        )
      }
      other.close()
    }, 3_600_000)

    test('large files go up in parts, and come back whole', async () => {
      const path = join(folder, 'large')
      const content = randomBytes(17_000_000)
      writeFileSync(path, content)
      const object = { bucket, key: `${prefix}/large` }
      const plan = { partBytes: 5 * 1024 * 1024, partsAtOnce: 3 }
      await upload(store, object, { path, sizeBytes: content.length }, plan)
      expect(content.equals(await store.read(object))).toBe(true)
      expect((await store.list(bucket, object.key)).map((file) => file.sizeBytes)).toEqual([content.length])
    })

    test('the cache stays within its bound, the least recently asked for first to go', async () => {
      const paths = Array.from({ length: 6 }, (_, i) => `part-${i}.parquet`)
      for (const path of paths) await storageOn('writer').put(path, randomBytes(1_000))
      const reader = storageOn('reader', { sizeBytesMax: 3_500 })
      const local = () => paths.filter((path) => existsSync(reader.localPath(path)))
      for (const path of paths.slice(0, 4)) {
        await reader.ensureLocal([path])
        nowMs += MINUTE_MS + 1
      }
      expect(local()).toEqual(paths.slice(0, 4))
      nowMs += 9 * MINUTE_MS
      await reader.ensureLocal([paths[0]!])
      await reader.ensureLocal([paths[4]!])
      expect(local()).toEqual([paths[0], paths[3], paths[4]])
      await reader.ensureLocal(paths)
      expect(local()).toEqual(paths)
    })

    test('a file that waits to be published is not evicted, one that was left is', async () => {
      const storage = storageOn('writer', { sizeBytesMax: 10 })
      const path = storage.localPath('day=1/waiting.parquet')
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, randomBytes(1_000))
      const fill = async (name: string) => {
        await storage.put(name, randomBytes(100))
        await storage.ensureLocal([name])
      }
      nowMs += 60 * MINUTE_MS
      await fill('a')
      expect(existsSync(path)).toBe(true)
      nowMs += 25 * 60 * MINUTE_MS
      await fill('b')
      expect(existsSync(path)).toBe(false)
    })

    test('a data file is downloaded once; a file of the log again when it has changed', async () => {
      const [writer, reader] = [storageOn('writer'), storageOn('reader')]
      for (const path of ['part.parquet', '_delta_log/1.checkpoint.parquet']) {
        await writer.put(path, Buffer.from('first'))
        await reader.ensureLocal([path])
        await writer.put(path, Buffer.from('other'))
        await reader.ensureLocal([path])
      }
      const seen = (path: string) => readFileSync(reader.localPath(path), 'utf8')
      expect(seen('part.parquet')).toBe('first')
      expect(seen('_delta_log/1.checkpoint.parquet')).toBe('other')
    })

    test('a download that breaks off leaves no file, and none is served', async () => {
      const reader = storageOn('reader')
      await expect(reader.ensureLocal(['none.parquet'])).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
      expect(existsSync(reader.localPath('none.parquet'))).toBe(false)
      expect(readdirSync(join(folder, 'reader')).filter((name) => name.startsWith('.tmp-'))).toEqual([])
    })

    test('what a dead writer left goes, in the bucket and on the disk', async () => {
      const storage = storageOn('writer')
      const dead = temporaryName().replace(/-\d+-(\w{8}-)/, '-1-$1')
      const running = temporaryName()
      for (const name of [dead, running]) {
        await storage.put(`_delta_log/${name}`, Buffer.from('x'))
        await storage.ensureLocal([`_delta_log/${name}`])
        writeFileSync(join(folder, 'writer', name), '')
      }
      await storage.removeStale()
      await expect(storage.read(`_delta_log/${dead}`)).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
      expect(existsSync(storage.localPath(`_delta_log/${dead}`))).toBe(false)
      expect(existsSync(join(folder, 'writer', dead))).toBe(false)
      await storage.read(`_delta_log/${running}`)
      expect(existsSync(storage.localPath(`_delta_log/${running}`))).toBe(true)
      expect(existsSync(join(folder, 'writer', running))).toBe(true)
    })

    test.each(['s3', 's3a'])('no vacuum removes a file that the log names by its %s: URI', async (scheme) => {
      const engine = await DuckDbParquetEngine.open()
      const options = { storage: storageOn('writer'), engine, now: () => nowMs }
      const table = await DeltaTable.create(options, { schema: SHOP })
      await table.append(shopRows(0, 3))
      const [{ path = '' } = {}] = (await table.snapshot()).files.values()
      const own = `${prefix}/a file.parquet`
      await store.put({ bucket, key: own }, await store.read({ bucket, key: `${prefix}/${path}` }))
      const commit = { bucket, key: `${prefix}/${commitPath(1)}` }
      const text = Buffer.from(await store.read(commit)).toString()
      const uri = `${scheme}://${bucket}/${own.replaceAll(' ', '%20')}`
      await store.put(commit, Buffer.from(text.replaceAll(path, uri)))
      nowMs += 365 * 24 * 60 * MINUTE_MS
      const opened = await DeltaTable.open({ ...options, storage: storageOn('reader') })
      expect(await idsOf(opened)).toEqual([0, 1, 2])
      expect(await opened.vacuum()).toEqual([path])
      expect(await idsOf(opened)).toEqual([0, 1, 2])
    })

    test('the markers that tools put where folders begin are no files', async () => {
      const storage = storageOn('writer')
      await storage.put('day=1/a', Buffer.from('x'))
      await store.put({ bucket, key: `${prefix}/day=2/` }, new Uint8Array())
      expect((await storage.listData()).map((file) => file.path)).toEqual(['day=1/a'])
      expect(await storage.listNames('day=2')).toEqual([])
    })

    test('a bucket that is missing, wrong keys and a store that is away are told apart', async () => {
      const broken = {
        bucket: new S3Storage({
          store,
          bucket: `none-${randomUUID()}`,
          cache: new DownloadCache({ folder }),
        }),
        keys: storageOn('a', {
          store: connect({ credentials: { accessKeyId: 'none', secretAccessKey: 'wrong' } }),
        }),
        away: storageOn('b', {
          store: connect({
            endpoint: 'http://127.0.0.1:9',
            retries: { attemptsMax: 3, delayMsFirst: 1, delayMsMax: 1 },
          }),
        }),
      }
      for (const storage of [broken.bucket, broken.keys]) {
        const refusal = { code: 'DELTA_STORAGE_FAILED', canRetry: false }
        await expect(storage.listNames('_delta_log')).rejects.toMatchObject(refusal)
        await expect(storage.read('a')).rejects.toMatchObject(refusal)
        await expect(storage.putIfAbsent('a', Buffer.from('x'))).rejects.toMatchObject(refusal)
      }
      const passing = { code: 'DELTA_STORAGE_UNAVAILABLE', canRetry: true }
      await expect(broken.away.listNames('_delta_log')).rejects.toMatchObject(passing)
      await expect(broken.away.putIfAbsent('a', Buffer.from('x'))).rejects.toMatchObject(passing)
    })

    test('nothing is taken from the environment', async () => {
      const before = { ...process.env }
      Object.assign(process.env, {
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
        AWS_REGION: 'nowhere',
        AWS_PROFILE: 'none',
        AWS_ACCESS_KEY_ID: 'none',
        AWS_SECRET_ACCESS_KEY: 'none',
        AWS_CONFIG_FILE: '/dev/null/none',
        AWS_USE_FIPS_ENDPOINT: 'true',
        AWS_REQUEST_CHECKSUM_CALCULATION: 'nonsense',
        AWS_MAX_ATTEMPTS: '0',
      })
      try {
        const storage = storageOn('writer', { store: connect() })
        await storage.put('a', Buffer.from('x'))
        expect(Buffer.from(await storage.read('a')).toString()).toBe('x')
      } finally {
        process.env = before
      }
    })
  })
}
