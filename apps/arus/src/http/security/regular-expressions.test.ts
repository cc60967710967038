import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { isSafe } from 'redos-detector'
import { expect, test } from 'vitest'

const SOURCES = join(import.meta.dirname, '../..')

/** Expressions that can be slow, with the reason why no stranger can make them so. */
const HARMLESS: readonly (readonly [RegExp, string])[] = [
  [/^(id|event|data): ?(.*)$/, 'reads the stream of a server the person chose'],
  [/^_+|_+$/g, 'reads 200 characters, in which runs were joined before'],
  [/^arus-lake-(.+)-(\d+)$/, 'reads names of transactions that Arus wrote'],
  [/^\s*(\S+)\s+(\S+)\s+(?:\[([^\]]+)\]\s+)?(.*?)\s*$/, 'reads definitions that stand in the sources'],
  [/\b(bronze|silver|gold)\s*\.\s*"?([a-z_]+)"?/gi, 'reads the SQL of Arus itself, not of askers'],
  [/'((?:[^']|'')*\.parquet)'/g, 'reads SQL that the Delta library wrote'],
]

test('no regular expression of the program can be made slow by what it reads', { timeout: 120_000 }, () => {
  const files = globSync('**/*.ts', { cwd: SOURCES }).filter((file) => !/\.test\.ts$|(^|\/)test-/.test(file))
  const expressions = new Map(
    files.flatMap(expressionsOf).map((expression) => [String(expression), expression]),
  )
  const harmless = HARMLESS.map(([expression]) => String(expression))
  expect(expressions.size).toBeGreaterThan(40)
  expect(harmless.filter((text) => !expressions.has(text))).toEqual([])
  const slow = [...expressions]
    .filter(([text]) => !harmless.includes(text))
    .filter(([, expression]) => !isSafe(expression, { timeout: 20_000 }).safe)
  expect(slow.map(([text]) => text)).toEqual([])
})

function expressionsOf(file: string): RegExp[] {
  const found: RegExp[] = []
  const { program } = parseSync(file, readFileSync(join(SOURCES, file), 'utf8'))
  new Visitor({
    Literal(node) {
      if ('regex' in node && node.regex !== null) found.push(new RegExp(node.regex.pattern, node.regex.flags))
    },
  }).visit(program)
  return found
}
