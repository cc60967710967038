import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { DownloadCache, S3Storage, S3Store } from '../src/s3/index.ts'
import { FaultyProxy } from './faulty-proxy.ts'
import { s3FaultsSuite } from './s3-faults-suite.ts'
import { S3Server } from './s3-server.ts'
import { s3StorageSuite } from './s3-storage-suite.ts'

const server = await S3Server.start({ bucket: 'arus', accessKeyId: 'tests' })
afterAll(() => server.close())
const target = {
  endpoint: server.address,
  bucket: 'arus',
  region: 'us-east-1',
  credentials: { accessKeyId: 'tests', secretAccessKey: 'tests' },
  forcePathStyle: true,
}

describe('S3 (a server in memory)', () => {
  s3StorageSuite(target)
  describe('behind a network that fails', () => s3FaultsSuite(target))
})

test.each(['ignored', 'not implemented'] as const)(
  'a store on which conditional writes are %s is refused before anything is written',
  async (conditionalWrites) => {
    const careless = await S3Server.start({ bucket: 'arus', accessKeyId: 'tests', conditionalWrites })
    const store = new S3Store({ ...target, endpoint: careless.address })
    const cache = new DownloadCache({ folder: join(tmpdir(), randomUUID()) })
    const storage = new S3Storage({ store, bucket: 'arus', prefix: 'table', cache })
    for (let i = 0; i < 2; i++) {
      await expect(storage.putIfAbsent('_delta_log/0.json', Buffer.from('x'))).rejects.toMatchObject({
        code: 'DELTA_STORAGE_UNSUPPORTED',
        canRetry: false,
        message: expect.stringMatching(/^The store of s3:\/\/arus .*If-None-Match: \*/),
      })
    }
    expect(await store.list('arus', '')).toEqual([])
    store.close()
    await careless.close()
  },
)

test('a store that was away while it was asked is asked again, and the table is not said to be in doubt', async () => {
  const proxy = await FaultyProxy.start(target.endpoint, (_, request) => (request < 2 ? '500 after' : null))
  const retries = { attemptsMax: 1, delayMsFirst: 1, delayMsMax: 1 }
  const store = new S3Store({ ...target, endpoint: proxy.address, retries })
  const cache = new DownloadCache({ folder: join(tmpdir(), randomUUID()) })
  const storage = new S3Storage({ store, bucket: 'arus', prefix: randomUUID(), cache })
  const create = () => storage.putIfAbsent('_delta_log/0.json', Buffer.from('x'))
  await expect(create()).rejects.toMatchObject({ code: 'DELTA_STORAGE_UNAVAILABLE', canRetry: true })
  expect(await create()).toBe('created')
  expect(await create()).toBe('exists')
  store.close()
  await proxy.close()
})
