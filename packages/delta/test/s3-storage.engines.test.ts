import { describe, test } from 'vitest'
import { s3FromEnvironment } from './s3-environment.ts'
import { s3FaultsSuite } from './s3-faults-suite.ts'
import { s3StorageSuite } from './s3-storage-suite.ts'

const s3 = s3FromEnvironment()

if (s3 === null) {
  test.skip('S3 (skipped where S3_ENDPOINT is not set)', () => {})
} else {
  describe('S3', () => {
    s3StorageSuite(s3)
    describe('behind a network that fails', () => s3FaultsSuite(s3))
  })
}
