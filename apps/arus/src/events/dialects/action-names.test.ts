import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ACTION_NAMES, actionNamed, snakeCase } from './action-names.ts'

const docs = readFileSync(join(import.meta.dirname, '../../../../../docs/EVENTS.md'), 'utf8')

test('the table of the docs and the program’s are the same', () => {
  const [, table = ''] = /\| action \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(docs) ?? []
  const quoted = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ')
  const rows = ACTION_NAMES.map(
    ({ action, segment, ga4, products }) =>
      `| \`${action}\` | ${quoted(segment)} | ${quoted(ga4)} | ${products} |\n`,
  )
  expect(table).toBe(rows.join(''))
})

describe('names', () => {
  test('stand in one row only, and actions are ones that ingest takes', () => {
    for (const dialect of ['segment', 'ga4'] as const) {
      const names = ACTION_NAMES.flatMap((row) => row[dialect].map(snakeCase))
      expect(new Set(names).size).toBe(names.length)
    }
    for (const { action } of ACTION_NAMES) expect(action).toMatch(/^[a-z][a-z0-9_]{0,63}$/)
  })

  test('are found however they are written, in their own dialect alone', () => {
    for (const name of ['Order Completed', 'order completed', 'order_completed', 'orderCompleted'])
      expect(actionNamed(name, 'segment').action).toBe('purchase')
    expect(actionNamed('Order Completed', 'ga4').action).toBe('order_completed')
    expect(actionNamed('constructor', 'segment')).toEqual({ action: 'constructor', products: 'one event' })
  })
})
