import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readEnvBlock, removeEnvBlock, writeEnvBlock } from '../launcher/env-block.ts'

const BLOCK = {
  pid: 4711,
  environment: { REDIS_URL: 'redis://:x#y@127.0.0.1:1', SPARK_REMOTE: 'sc://127.0.0.1:2/;token=a b' },
}

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-env-block-'))
  file = join(folder, '.env')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a block is read as Node reads it, outweighs the lines before it, and is for its owner only', () => {
  writeFileSync(file, 'REDIS_URL=redis://mine\nARUS_SHOP=toko')
  chmodSync(file, 0o644)
  writeEnvBlock(file, BLOCK)
  expect(parseEnv(readFileSync(file, 'utf8'))).toEqual({ ...BLOCK.environment, ARUS_SHOP: 'toko' })
  expect(readEnvBlock(file)).toEqual(BLOCK)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['.env'])
})

test('a block takes the place of the one before, wherever other lines were added', () => {
  writeEnvBlock(file, BLOCK)
  writeFileSync(file, `A=1\n${readFileSync(file, 'utf8')}B=2\n`)
  writeEnvBlock(file, { pid: 5, environment: { DATABASE_URL: 'postgres://x' } })
  expect(readEnvBlock(file)).toEqual({ pid: 5, environment: { DATABASE_URL: 'postgres://x' } })
  removeEnvBlock(file)
  expect(readFileSync(file, 'utf8')).toBe('A=1\nB=2\n')
})

test('a file that holds nothing else goes; one that is not there has no block', () => {
  expect(readEnvBlock(file)).toBeNull()
  removeEnvBlock(file)
  writeEnvBlock(file, BLOCK)
  removeEnvBlock(file)
  expect(existsSync(file)).toBe(false)
})

test('what a link names is changed, and the link stays', () => {
  const target = join(folder, 'settings')
  writeFileSync(target, 'A=1\n')
  symlinkSync(target, file)
  writeEnvBlock(file, BLOCK)
  expect(readEnvBlock(target)).toEqual(BLOCK)
})

test('whatever a file held, it holds again once the block is out', () => {
  const line = fc.oneof(
    fc.constantFrom('', '# >>> npm run engines -- up', "A='1'", 'B="x\r', '# <<<'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(line.map((text) => text.replaceAll('\n', ''))), (lines) => {
      const text = lines.map((each) => `${each}\n`).join('')
      writeFileSync(file, text)
      writeEnvBlock(file, BLOCK)
      expect(readEnvBlock(file)).toEqual(BLOCK)
      removeEnvBlock(file)
      expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(text)
    }),
  )
})
