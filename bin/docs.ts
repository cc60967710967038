/** `npm run docs`: writes the pages, and parts of pages, that are generated from the code. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableDocs } from '../apps/arus/src/lake/table-docs.ts'
import { attackDocs } from '../apps/arus/src/query/sandbox/attack-docs.ts'

const docs = join(import.meta.dirname, '../docs')
writeFileSync(join(docs, 'DATA.md'), tableDocs())
const page = readFileSync(join(docs, 'SQL.md'), 'utf8')
const [head = ''] = page.split('<!-- attempts -->')
writeFileSync(join(docs, 'SQL.md'), `${head}<!-- attempts -->\n\n${attackDocs()}\n`)
