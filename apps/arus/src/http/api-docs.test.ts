import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ERROR_CODES } from '../errors.ts'
import { openShop } from './test-api.ts'

const docs = readFileSync(join(import.meta.dirname, '../../../../docs/API.md'), 'utf8')

test('the table of error codes and the program’s are the same', () => {
  const rows = [...docs.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (\d+) \|/gm)]
  const documented = Object.fromEntries(
    rows.map(([, code, status, exitCode]) => [code, { status: Number(status), exitCode: Number(exitCode) }]),
  )
  expect(documented).toEqual(ERROR_CODES)
})

test('every address of the API has a curl line, and every curl line an address', async () => {
  const { app } = await openShop()
  const { paths } = (await app.inject('/openapi.json')).json() as {
    paths: Record<string, Record<string, unknown>>
  }
  await app.close()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'head')
      .map((method) => ({
        name: `${method.toUpperCase()} ${path}`,
        pattern: patternOf(path),
        method: method.toUpperCase(),
      })),
  )
  const calls = [...docs.matchAll(/curl(?: -N)?(?: -X (\w+))? '?http:\/\/127\.0\.0\.1:8000([^\s'?]*)/g)].map(
    ([, method = 'GET', path = '']) => ({ method, path }),
  )
  const matches = (operation: (typeof operations)[number], call: (typeof calls)[number]) =>
    operation.method === call.method && operation.pattern.test(call.path)
  expect(calls.length).toBeGreaterThanOrEqual(operations.length)
  expect(
    operations.filter((operation) => !calls.some((call) => matches(operation, call))).map(({ name }) => name),
  ).toEqual([])
  expect(calls.filter((call) => !operations.some((operation) => matches(operation, call)))).toEqual([])
})

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
