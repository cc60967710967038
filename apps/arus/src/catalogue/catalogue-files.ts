import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'

/** Names within a version's folder. */
export const RECORDS_FILE = 'products.mdb'
export const INDEX_FILE = 'index.bin'

/** No category, in the index's column of categories. */
export const NO_CATEGORY = 0xffff

/** Opens the product records of a version: keys are document numbers, values as in `product-record.ts`. */
export function openRecords(versionFolder: string, access: 'read' | 'build'): RootDatabase<Buffer, number> {
  return open<Buffer, number>({
    path: join(versionFolder, RECORDS_FILE),
    keyEncoding: 'uint32',
    encoding: 'binary',
    compression: false,
    readOnly: access === 'read',
    noSubdir: true,
    noSync: access === 'build',
  })
}
