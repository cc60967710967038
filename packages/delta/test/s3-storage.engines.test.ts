import { describe, test } from 'vitest'
import { objectStores } from '../../../engines/object-stores.ts'
import { s3TargetOf } from './s3-environment.ts'
import { s3FaultsSuite } from './s3-faults-suite.ts'
import { s3StorageSuite } from './s3-storage-suite.ts'

const stores = objectStores()

if (stores.length === 0) test.skip('S3 (skipped where S3_ENDPOINT is not set)', () => {})

describe.each(stores)('$name', ({ variables }) => {
  const s3 = s3TargetOf(variables)
  s3StorageSuite(s3)
  describe('behind a network that fails', () => s3FaultsSuite(s3))
})
