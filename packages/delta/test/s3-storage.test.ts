import { afterAll, describe } from 'vitest'
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
