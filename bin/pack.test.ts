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
const modules = join(folder, 'node_modules')
const run = promisify(execFile)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As `npm install` of the tarball, with the dependencies that are installed here. */
async function install(name: string): Promise<string> {
  const target = join(modules, '@arus', name)
  mkdirSync(target, { recursive: true })
  await extract({ file: await pack(name, folder), cwd: target, strip: 1 })
  const { dependencies = {} } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
  for (const dependency of Object.keys(dependencies)) link(dependency)
  return target
}

function link(name: string): void {
  const target = join(modules, name)
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), target, 'junction')
}

test('delta, installed from its tarball, runs the first lines of its README, and has types', async () => {
  const target = await install('delta')
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(target, 'README.md'), 'utf8')) ?? []
  writeFileSync(join(folder, 'try.mjs'), example)
  const { stdout } = await run(process.execPath, ['try.mjs'], { cwd: folder })
  expect(stdout.trim()).toBe("[ { n: '1' } ]")

  link('@types/node')
  link('undici-types')
  writeFileSync(join(folder, 'right.mts'), example)
  writeFileSync(join(folder, 'wrong.mts'), example.replace("'long'", "'lang'"))
  await expect(compile('right.mts')).resolves.toBe('')
  await expect(compile('wrong.mts')).resolves.toContain('\'"lang"\' is not assignable')
})

test.each(['event-log', 'recommenders', 'spark-connect', 'browser-sdk'])(
  '%s can be imported from its tarball',
  async (name) => {
    await install(name)
    const source = `import * as all from '@arus/${name}'; console.log(Object.keys(all).length)`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { cwd: folder })
    expect(Number(stdout)).toBeGreaterThan(0)
  },
)

async function compile(file: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext']
  return run(process.execPath, [tsc, ...options, '--types', 'node', file], { cwd: folder }).then(
    () => '',
    ({ stdout }) => stdout,
  )
}
