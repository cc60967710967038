import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { english, type TextKey } from './english.ts'
import { fill } from './fill.ts'
import { indonesian } from './indonesian.ts'

const placesOf = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()

/** Keys that come from the API: actions, and states of slots and models. */
const FROM_API = new Set([
  'recommendation_viewed',
  'recommendation_clicked',
  'ok',
  'degraded',
  'down',
  'production',
  'candidate',
  'archived',
])

describe('dictionaries', () => {
  test('both have the same keys, and none is blank', () => {
    expect(Object.keys(indonesian).sort()).toEqual(Object.keys(english).sort())
    for (const text of [...Object.values(english), ...Object.values(indonesian)])
      expect(text.trim()).not.toBe('')
  })

  test.each(Object.keys(english) as TextKey[])('%s has the same places in both', (key) => {
    expect(placesOf(indonesian[key])).toEqual(placesOf(english[key]))
  })

  test('every key is used by a page', () => {
    const source = join(import.meta.dirname, '..')
    const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file) && !/(?:english|indonesian|\.test)\.tsx?$/.test(file))
      .map((file) => readFileSync(join(source, file), 'utf8'))
      .join('\n')
    const unused = Object.keys(english).filter((key) => !FROM_API.has(key) && !text.includes(`'${key}'`))
    expect(unused).toEqual([])
  })
})

describe('fill', () => {
  test('puts values into their places and leaves the others', () => {
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}')
  })
})
