import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { rememberInFile } from './remembered-products.ts'
import { productNamed } from './test-shop.ts'

const folder = mkdtempSync(join(tmpdir(), 'arus-remembered-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('best sellers outlive the process; a damaged file is told and counts for nothing', () => {
  const file = join(folder, 'static', 'products.json')
  const faults: unknown[] = []
  rememberInFile(file, (error) => faults.push(error)).remember([productNamed('a')])
  expect(rememberInFile(file, (error) => faults.push(error)).read()).toEqual([productNamed('a')])
  expect(faults).toEqual([])
  writeFileSync(file, '[{"product_id":')
  expect(rememberInFile(file, (error) => faults.push(error)).read()).toEqual([])
  expect(faults).toHaveLength(1)
})
