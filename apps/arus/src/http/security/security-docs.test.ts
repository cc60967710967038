import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SOURCES = join(import.meta.dirname, '../..')
const page = readFileSync(join(SOURCES, '../../../docs/security.md'), 'utf8')
const shown = [...page.matchAll(/\| `([^`]+\.test\.ts)`: “(.+)” \|$/gm)].map(([, file = '', name = '']) => ({
  file,
  name,
}))

test('every risk of the OWASP API Security Top 10 (2023) is answered by a test', () => {
  for (let risk = 1; risk <= 10; risk++) {
    expect(page).toMatch(new RegExp(`^\\| API${risk} [^|]+\\|[^|]+\\| \`[^\`]+\\.test\\.ts\`: “`, 'm'))
  }
  expect(shown.length).toBeGreaterThan(25)
})

test('every test that docs/security.md names is there', () => {
  const gone = shown.filter(({ file, name }) => {
    const source = readFileSync(join(SOURCES, file), 'utf8')
    return !source.includes(`'${name}'`)
  })
  expect(gone).toEqual([])
})
