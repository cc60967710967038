import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { extract } from 'tar'
import { afterAll, expect, test } from 'vitest'
import { pack } from './pack.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'arus-pack-'))
const execute = promisify(execFile)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('delta runs the first lines of its README from its tarball, and what is optional only where it is imported', async () => {
  const project = await install('delta')
  const main = "import { column } from '@arus/delta'; console.log(column('id', 'long').type)"
  expect(await run(project, main)).toBe('long')

  const readme = readFileSync(join(project, 'node_modules/@arus/delta/README.md'), 'utf8')
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  link(project, '@duckdb/node-api')
  expect(await run(project, example)).toBe("[ { n: '1' } ]")

  link(project, '@aws-sdk/client-s3')
  const store = "import { S3Store } from '@arus/delta/s3'\nconsole.log(typeof S3Store)"
  expect(await run(project, store)).toBe('function')
  expect(await typeErrors(project, `${example}\n${store}`)).toBe('')
  expect(await typeErrors(project, example.replace("'long'", "'lang'"))).toContain(
    '\'"lang"\' is not assignable',
  )
})

test.each([
  ['browser-sdk', "import { init } from '@arus/browser-sdk'; console.log(typeof init)", 'function'],
  [
    'event-log',
    `import { openLmdbEventLog } from '@arus/event-log'
    const log = await openLmdbEventLog({ folder: 'data/log' })
    await log.ensureTopic('events', { partitionCount: 1 })
    console.log(await log.append('events', [{ key: 'a', value: Buffer.from('b'), timestampMs: 0 }]))
    await log.close()`,
    '[ { partition: 0, offset: 0 } ]',
  ],
  [
    // Reads its kernels from a file beside it.
    'recommenders',
    `import { fitLowPass } from '@arus/recommenders'
    const [users, items] = [Uint32Array.of(0, 0, 1, 1, 2), Uint32Array.of(0, 1, 0, 1, 0)]
    const [weights, timesMs] = [new Float32Array(5).fill(1), new Float64Array(5)]
    const model = fitLowPass({ userCount: 3, itemCount: 2, users, items, weights, timesMs })
    console.log(model.recommend({ items: Uint32Array.of(0), weights: Float32Array.of(1) }, { k: 1 }).items)`,
    'Uint32Array(1) [ 1 ]',
  ],
  [
    'spark-connect',
    `import { parseConnectionString } from '@arus/spark-connect'
    console.log(parseConnectionString('sc://spark.example').port)`,
    '15002',
  ],
])('%s runs from its tarball, and has types', async (name, source, printed) => {
  const project = await install(name)
  expect(await run(project, source)).toBe(printed)
  const wrong = `// @ts-expect-error there is no such name\nimport { nothing } from '@arus/${name}'`
  expect(await typeErrors(project, `${source}\n${wrong}`)).toBe('')
})

/** A new project, after `npm install` of a tarball, with the dependencies that are installed here; what is optional is not among them. */
async function install(name: string): Promise<string> {
  const project = join(folder, name)
  const cwd = join(project, 'node_modules/@arus', name)
  mkdirSync(cwd, { recursive: true })
  await extract({ file: await pack(name, folder), cwd, strip: 1 })
  const { dependencies = {} } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
  for (const dependency of Object.keys(dependencies)) link(project, dependency)
  return project
}

function link(project: string, name: string): void {
  const target = join(project, 'node_modules', name)
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), target, 'junction')
}

async function run(project: string, source: string): Promise<string> {
  writeFileSync(join(project, 'try.mjs'), source)
  const { stdout } = await execute(process.execPath, ['try.mjs'], { cwd: project })
  return stdout.trim()
}

/** Those of declarations too, which `skipLibCheck` would pass over. */
async function typeErrors(project: string, source: string): Promise<string> {
  writeFileSync(join(project, 'try.mts'), source)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', ...typeRoots]
  return execute(process.execPath, [tsc, ...options, 'try.mts'], { cwd: project }).then(
    () => '',
    ({ stdout, message }) => stdout || message,
  )
}
