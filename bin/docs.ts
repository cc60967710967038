/** `npm run docs`: writes the pages that are generated from the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableDocs } from '../apps/arus/src/lake/table-docs.ts'

writeFileSync(join(import.meta.dirname, '../docs/DATA.md'), tableDocs())
