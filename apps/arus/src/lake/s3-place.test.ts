import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { S3Server, type S3ServerOptions } from '../../../../packages/delta/test/s3-server.ts'
import { openS3Place } from './s3-place.ts'

let cacheFolder = ''
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'arus-s3-place-'))
})
afterEach(() => rmSync(cacheFolder, { recursive: true }))

async function placeOn(conditionalWrites: NonNullable<S3ServerOptions['conditionalWrites']>) {
  const server = await S3Server.start({ bucket: 'arus', accessKeyId: 'tests', conditionalWrites })
  const settings = {
    endpoint: server.address,
    bucket: 'arus',
    region: 'us-east-1',
    accessKeyId: 'tests',
    secretAccessKey: 'tests',
    cacheBytes: 1_000_000,
  }
  return { server, opening: openS3Place({ settings, shop: 'toko', cacheFolder }) }
}

test.each(['ignored', 'not implemented'] as const)(
  'a store on which conditional writes are %s is refused when it is opened',
  async (conditionalWrites) => {
    const { server, opening } = await placeOn(conditionalWrites)
    await expect(opening).rejects.toMatchObject({
      code: 'ENGINE_UNUSABLE',
      message: expect.stringMatching(/does not keep an object .* so commits would be lost/),
    })
    await server.close()
  },
)

test('a store that has them is opened, and nothing is left in it', async () => {
  const { server, opening } = await placeOn('kept')
  const place = await opening
  expect(await place.sizeBytes()).toBe(0)
  place.close()
  await server.close()
})
