import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Engine } from '../launcher/engine.ts'
import { ENGINE_ERRORS, EngineError } from '../launcher/errors.ts'
import { GuardedProcess } from '../launcher/guarded-process.ts'
import { untilHealthy } from '../launcher/health.ts'
import { installEngine, installedFolder } from '../launcher/installation.ts'
import { besideAnother, objectStores } from '../object-stores.ts'
import { enginesNamed } from '../start-engine.ts'

const NEVER = new AbortController().signal
const ENGINE: Engine = {
  name: 'toy',
  version: '1',
  description: 'a file',
  tools: [],
  recipe: ['a'],
  install: ({ folder, run }) => run(['sh', '-c', `echo made >> ${join(folder, 'made')}`]),
  start: () => Promise.reject(new EngineError('ENGINE_START_FAILED', 'it is a toy')),
}

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'arus-launcher-'))
  process.env.ARUS_ENGINES_DIR = root
})
afterEach(() => {
  delete process.env.ARUS_ENGINES_DIR
  rmSync(root, { recursive: true, force: true })
})

const install = (engine: Engine, log: (line: string) => void = () => {}) =>
  installEngine(engine, { log, signal: NEVER })

describe('an installation', () => {
  test('is done once, and anew when its recipe changes', async () => {
    const folder = await install(ENGINE)
    expect(await install(ENGINE)).toBe(folder)
    expect(readFileSync(join(folder, 'made'), 'utf8')).toBe('made\n')
    expect(installedFolder({ ...ENGINE, recipe: ['b'] })).toBeNull()
    writeFileSync(join(folder, 'old'), '')
    await install({ ...ENGINE, recipe: ['b'] })
    expect(readdirSync(folder).sort()).toEqual(['.installed', 'made'])
  })

  test('that was interrupted begins again from nothing', async () => {
    mkdirSync(join(root, 'toy-1'))
    writeFileSync(join(root, 'toy-1', 'made'), 'half')
    expect(installedFolder(ENGINE)).toBeNull()
    expect(readFileSync(join(await install(ENGINE), 'made'), 'utf8')).toBe('made\n')
  })

  test('that fails says so with the end of its log, and is not taken for done', async () => {
    const failing = {
      ...ENGINE,
      install: ({ run }) => run(['sh', '-c', 'echo no such package; exit 3']),
    } as Engine
    await expect(install(failing)).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_FAILED',
      message: expect.stringMatching(/ended with 3(.|\n)*no such package/),
    })
    expect(installedFolder(failing)).toBeNull()
  })

  test('names every tool that is missing before it begins', async () => {
    const tools = ['no-such-tool', 'nor-this'].map((command) => ({
      command,
      hint: `apt-get install ${command}`,
    }))
    await expect(install({ ...ENGINE, tools })).rejects.toMatchObject({
      code: 'ENGINE_TOOL_MISSING',
      message: expect.stringMatching(/apt-get install no-such-tool.*apt-get install nor-this/),
    })
  })

  test('two processes at once: one installs, the other waits for it', async () => {
    const said: string[] = []
    const slow: Engine = {
      ...ENGINE,
      install: ({ folder, run }) => run(['sh', '-c', `sleep 1; echo made >> ${join(folder, 'made')}`]),
    }
    const folders = await Promise.all([install(slow), install(slow, (line) => said.push(line))])
    expect(readFileSync(join(folders[0], 'made'), 'utf8')).toBe('made\n')
    expect(said).toEqual([expect.stringContaining('another process is installing it')])
  })

  test('that is stopped ends its command', async () => {
    const stop = new AbortController()
    const endless: Engine = { ...ENGINE, install: ({ run }) => run(['sleep', '1000']) }
    const installing = installEngine(endless, { log: () => {}, signal: stop.signal })
    await vi.waitUntil(() => existsSync(join(root, 'toy-1.log')))
    stop.abort()
    await expect(installing).rejects.toThrow()
    expect(installedFolder(endless)).toBeNull()
  })
})

describe('a guarded process', () => {
  const guarded = (script: string) =>
    new GuardedProcess(['sh', '-c', script], { folder: root, logFile: join(root, 'log') })

  test('stops with all it started, when asked nicely or not', async () => {
    for (const script of [
      'sleep 1000 & echo $! > pid; wait',
      `trap '' TERM; sleep 1000 & echo $! > pid; wait; wait`,
    ]) {
      const process = guarded(script)
      const pid = await pidIn(join(root, 'pid'))
      await process.stop(500)
      await vi.waitUntil(() => !isAlive(pid))
      expect(process.hasExited).toBe(true)
      rmSync(join(root, 'pid'))
    }
  })

  test('gives the status of its command', async () => {
    expect(await guarded('exit 7').exited).toBe(7)
  })

  test('ends, and its folder goes, when the process that started it is killed', async () => {
    const folder = join(root, 'run')
    mkdirSync(folder)
    const starter = startStarter(folder)
    const pid = await pidIn(join(folder, 'pid'))
    starter.kill('SIGKILL')
    await once(starter, 'exit')
    await vi.waitUntil(() => !isAlive(pid) && !existsSync(folder), { timeout: 10_000 })
  })

  test('that ends before it is healthy is reported with its log', async () => {
    const failing = guarded('echo the port is taken; exit 1')
    await expect(
      untilHealthy(failing, () => Promise.resolve(false), { name: 'Toy', deadlineMs: 10_000, signal: NEVER }),
    ).rejects.toMatchObject({
      code: 'ENGINE_START_FAILED',
      message: expect.stringMatching(/ended with status 1(.|\n)*the port is taken/),
    })
  })

  test('that does not answer in time is stopped', async () => {
    const silent = guarded('sleep 1000')
    await expect(
      untilHealthy(silent, () => Promise.reject(new Error('refused')), {
        name: 'Toy',
        deadlineMs: 300,
        signal: NEVER,
      }),
    ).rejects.toMatchObject({ message: expect.stringContaining('did not answer within 0.3 s') })
    expect(silent.hasExited).toBe(true)
  })
})

test('an engine that does not exist is refused by name; those that do come in the order they start in', () => {
  expect(() => enginesNamed(['spark', 'sparc'])).toThrow(/sparc.*minio, .*spark/)
  expect(enginesNamed(['spark', 'minio']).map(({ name }) => name)).toEqual(['minio', 'spark'])
})

test('a store beside another is known by its own variables, and only where there is one', () => {
  const minio = { S3_ENDPOINT: 'http://127.0.0.1:1', S3_BUCKET: 'a' }
  const beside = besideAnother({ S3_ENDPOINT: 'http://127.0.0.1:2', S3_BUCKET: 'b' })
  const found = (environment: Record<string, string>) =>
    objectStores(environment).map(({ name, variables }) => [name, variables.S3_ENDPOINT, variables.S3_BUCKET])
  expect(found({})).toEqual([])
  expect(found(minio)).toEqual([['S3', 'http://127.0.0.1:1', 'a']])
  expect(found({ ...minio, ...beside })).toEqual([
    ['S3', 'http://127.0.0.1:1', 'a'],
    ['SeaweedFS', 'http://127.0.0.1:2', 'b'],
  ])
})

test('every error tells what to do', () => {
  for (const code of Object.keys(ENGINE_ERRORS) as (keyof typeof ENGINE_ERRORS)[])
    expect(new EngineError(code, 'x').advice.length).toBeGreaterThan(20)
})

/** A process that starts a guarded `sleep` in a folder of its own and waits. */
function startStarter(folder: string): ChildProcess {
  const source = `
    import { GuardedProcess } from ${JSON.stringify(join(import.meta.dirname, '../launcher/guarded-process.ts'))}
    const folder = ${JSON.stringify(folder)}
    new GuardedProcess(['sh', '-c', 'echo $$ > pid; exec sleep 1000'], { folder, logFile: folder + '/log', isFolderTemporary: true })
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', source], { stdio: 'inherit' })
}

async function pidIn(file: string): Promise<number> {
  await vi.waitUntil(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), { timeout: 10_000 })
  return Number(readFileSync(file, 'utf8'))
}

/** A zombie that nobody has collected yet counts as dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
