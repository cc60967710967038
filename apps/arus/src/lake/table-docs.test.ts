import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tableDocs } from './table-docs.ts'
import { TABLE_NAMES } from './table-names.ts'
import { TABLES } from './tables/index.ts'

test('docs/DATA.md is what "npm run docs" writes', () => {
  expect(readFileSync(join(import.meta.dirname, '../../../../docs/DATA.md'), 'utf8')).toBe(tableDocs())
})

test('every table is defined once, every column has a type and a meaning', () => {
  expect(TABLES.map((table) => table.name).sort()).toEqual([...TABLE_NAMES].sort())
  for (const { columns } of TABLES) {
    expect(new Set(columns.map((column) => column.name)).size).toBe(columns.length)
    for (const { type, meaning } of columns)
      expect([String(type), meaning].every((text) => text.length > 2)).toBe(true)
  }
})
