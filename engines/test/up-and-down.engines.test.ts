import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { type EnvBlock, readEnvBlock } from '../launcher/env-block.ts'

const folder = mkdtempSync(join(tmpdir(), 'arus-up-'))
const file = join(folder, '.env')
afterAll(async () => {
  await engines('down')
  rmSync(folder, { recursive: true })
})

test('engines outlive the command that started them, and what names them goes with them', async () => {
  writeFileSync(file, 'ARUS_SHOP=toko\n')
  expect(await engines('up', 'valkey')).toMatchObject({
    status: 0,
    out: expect.stringMatching(/REDIS_URL {2}127\.0\.0\.1:\d+/),
  })
  const first = readEnvBlock(file)!
  expect(Object.keys(first.environment)).toEqual(['ARUS_DATA_DIR', 'REDIS_URL'])
  expect(await isListening(first)).toBe(true)
  expect(await engines('up', 'valkey')).toMatchObject({
    status: 1,
    err: expect.stringContaining(`ENGINE_RUNNING: Process ${first.pid}`),
  })

  process.kill(first.pid, 'SIGKILL')
  await vi.waitUntil(async () => !(await isListening(first)), { timeout: 30_000, interval: 100 })
  expect(await engines('up', 'valkey')).toMatchObject({ status: 0 })
  const second = readEnvBlock(file)!
  expect(second.pid).not.toBe(first.pid)
  expect(existsSync(first.environment.ARUS_DATA_DIR!)).toBe(false)

  expect(await engines('down')).toMatchObject({ status: 0 })
  expect(readFileSync(file, 'utf8')).toBe('ARUS_SHOP=toko\n')
  expect(await isListening(second)).toBe(false)
  expect(existsSync(second.environment.ARUS_DATA_DIR!)).toBe(false)
  expect(await engines('down')).toMatchObject({ status: 0, out: expect.stringContaining('names no engines') })
})

test('when one of them fails those before it are stopped, and nothing names any', async () => {
  vi.stubEnv('TRINO_JAVA', 'false')
  const { status, out, err } = await engines('up', 'valkey', 'trino')
  vi.unstubAllEnvs()
  expect({ status, out }).toEqual({ status: 1, out: '' })
  expect(err).toMatch(/valkey .*: up .*\nstopped valkey\nENGINE_START_FAILED: Trino ended with status 1/)
  expect(err).toContain('ENGINE_UP_FAILED')
  expect(readEnvBlock(file)).toBeNull()
})

test('an engine that does not exist is refused, and nothing names it', async () => {
  const { status, err } = await engines('up', 'sparc')
  expect({ status, err }).toEqual({ status: 1, err: expect.stringContaining('ENGINE_UNKNOWN') })
  expect(readEnvBlock(file)).toBeNull()
})

function engines(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const words = [join(import.meta.dirname, '../main.ts'), ...args, '--env', file]
    execFile(process.execPath, words, (error, out, err) =>
      resolve({ status: Number(error?.code ?? 0), out, err }),
    )
  })
}

function isListening({ environment }: EnvBlock): Promise<boolean> {
  const { port, hostname } = new URL(environment.REDIS_URL!)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => resolve(true))
    socket.on('connect', () => socket.destroy())
    socket.on('error', () => resolve(false))
  })
}
