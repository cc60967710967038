import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g

interface Import {
  readonly file: string
  readonly target: string
}

/** Every relative or workspace import of the sources, as paths from the root. */
const imports: readonly Import[] = ['packages', 'apps'].flatMap((folder) => importsBelow(folder))

/** Modules that compose others: they may import anything of the program. */
const COMPOSERS = /^apps\/arus\/src\/(main|wiring|commands|server|server\/[^/]+)\.ts$/
const DOMAIN =
  /^apps\/arus\/src\/(catalogue|events|experiments|rules|erasure|keys|live|lake|query|training|evaluation|registry|recommend|analytics|operations|state|database|config|compute)\//

describe('arrows go one way', () => {
  test('the scan sees the sources', () => {
    expect(imports.length).toBeGreaterThan(100)
  })

  test('packages import neither the program nor each other’s insides', () => {
    expect(
      imports.filter(({ file, target }) => file.startsWith('packages/') && target.startsWith('apps/')),
    ).toEqual([])
    expect(
      imports.filter(({ file, target }) => {
        const from = /^packages\/([^/]+)\//.exec(file)?.[1]
        const to = /^packages\/([^/]+)\//.exec(target)?.[1]
        return from !== undefined && to !== undefined && from !== to
      }),
    ).toEqual([])
  })

  test('domain modules import neither http, cli nor what composes them', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        DOMAIN.test(file) &&
        (/^apps\/arus\/src\/(http|cli|dashboard-server)\//.test(target) || COMPOSERS.test(target)),
    )
    expect(wrong).toEqual([])
  })

  test('http and cli do not import what composes them, nor each other', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        (/^apps\/arus\/src\/(http|cli)\//.test(file) && COMPOSERS.test(target)) ||
        (file.startsWith('apps/arus/src/http/') && target.startsWith('apps/arus/src/cli/')),
    )
    expect(wrong).toEqual([])
  })

  test('ports do not import adapters, and only wiring and tests open them', () => {
    const adapters = /\/(lmdb-|duckdb-|lake-registry|kafka-|sqlite-|postgres-|valkey-)[^/]*$/
    const wrong = imports.filter(
      ({ file, target }) =>
        adapters.test(target) &&
        target.startsWith('apps/arus/src/') &&
        // How an engine is reached is no engine.
        !target.startsWith('apps/arus/src/config/') &&
        !COMPOSERS.test(file) &&
        !/\/test-[^/]*$/.test(file) &&
        dirname(file) !== dirname(target),
    )
    expect(wrong).toEqual([])
  })

  test('the dashboard sees only the contract of the API', () => {
    const wrong = imports.filter(
      ({ file, target }) => file.startsWith('apps/dashboard/') && target.startsWith('apps/arus/'),
    )
    expect(wrong).toEqual([])
  })

  test('no cycles', () => {
    expect(cycles()).toEqual([])
  })
})

function importsBelow(folder: string): Import[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .filter((entry) => !/(node_modules|[\\/]dist|[\\/]test)([\\/]|$)/.test(entry.parentPath))
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name)
      const file = relative(root, path).replaceAll('\\', '/')
      return [...readFileSync(path, 'utf8').matchAll(IMPORT)]
        .map((match) => match[1] ?? match[2] ?? '')
        .filter((target) => target.startsWith('.'))
        .map((target) => ({ file, target: normalize(join(dirname(file), target)).replaceAll('\\', '/') }))
    })
}

/** Each import cycle once, as the list of its files; type-only imports count too. */
function cycles(): string[][] {
  const edges = new Map<string, string[]>()
  for (const { file, target } of imports) edges.set(file, [...(edges.get(file) ?? []), target])
  const done = new Set<string>()
  const found: string[][] = []
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) {
      found.push(path.slice(start))
      return
    }
    if (done.has(file)) return
    for (const target of edges.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of edges.keys()) visit(file, [])
  return found
}
