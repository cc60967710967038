import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LocalStorage, temporaryName } from '../src/index.ts'
import { storageContract } from './storage-contract.ts'

storageContract('a local folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-storage-'))
  const root = join(folder, 'lake', 'table')
  return {
    storage: new LocalStorage(root),
    another: new LocalStorage(root),
    putOutside: async (name, bytes) => {
      writeFileSync(join(folder, name), bytes)
      return pathToFileURL(join(folder, name)).href
    },
    close: async () => rmSync(folder, { recursive: true }),
  }
})

describe('a local folder', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'arus-storage-'))
    mkdirSync(join(root, '_delta_log'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  test('leaves nothing but the files written', async () => {
    const storage = new LocalStorage(root)
    await storage.putIfAbsent('_delta_log/0.json', Buffer.from('a'))
    await storage.putIfAbsent('_delta_log/0.json', Buffer.from('b'))
    await storage.put('_delta_log/_last_checkpoint', Buffer.from('c'))
    expect(readdirSync(join(root, '_delta_log')).sort()).toEqual(['0.json', '_last_checkpoint'])
  })

  test('temporary files of a process that is gone go at once, those of others after an hour', async () => {
    const script = `import { temporaryName } from '@arus/delta'; process.stdout.write(temporaryName('.checkpoint.parquet'))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/^\.tmp-.*\.checkpoint\.parquet$/)
    const ours = temporaryName()
    const ofAnotherMachine = ours.replace(/^\.tmp-\w{8}/, '.tmp-00000000')
    const ofAnotherBoot = ours.replace(/^(\.tmp-\w{8})-\w{8}/, '$1-00000000')
    const ofPidUsedAgain = ours.replace(/-\d+-(\w{8}-)/, '-1-$1')
    const names = [
      stdout,
      `tmp_${stdout}`,
      ours,
      ofAnotherMachine,
      ofAnotherBoot,
      ofPidUsedAgain,
      '.tmp-legacy',
    ]
    for (const name of names) writeFileSync(join(root, '_delta_log', name), '')
    let now = Date.now()
    const storage = new LocalStorage(root, { now: () => now })
    await storage.removeStale()
    expect(readdirSync(join(root, '_delta_log')).sort()).toEqual(
      [ours, ofAnotherMachine, '.tmp-legacy'].sort(),
    )
    now += 3_700_000
    await storage.removeStale()
    expect(readdirSync(join(root, '_delta_log'))).toEqual([ours])
  })

  test('a temporary folder of a process that is gone goes with all it holds', async () => {
    const folder = temporaryName().replace(/-\d+-(\w{8}-)/, '-1-$1')
    mkdirSync(join(root, '_delta_log', folder, 'day=1'), { recursive: true })
    writeFileSync(join(root, '_delta_log', folder, 'day=1', 'part.parquet'), '')
    await new LocalStorage(root).removeStale()
    expect(readdirSync(join(root, '_delta_log'))).toEqual([])
  })

  test('removeStale of a table that is not there does nothing', async () => {
    await new LocalStorage(join(root, 'none')).removeStale()
    expect(readdirSync(root)).toEqual(['_delta_log'])
  })

  test('what is no file, as a device that never ends, is not read', async () => {
    const storage = new LocalStorage(root)
    for (const uri of ['file:///dev/zero', pathToFileURL(root).href]) {
      await expect(storage.read(uri), uri).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
      await expect(storage.ensureLocal([uri]), uri).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
    }
  })

  test('file: URIs are read in each spelling that logs have', async () => {
    const storage = new LocalStorage(join(root, 'table'))
    writeFileSync(join(root, 'a b.parquet'), 'x')
    for (const uri of [
      `file://${root}/a%20b.parquet`,
      `file:${root}/a%20b.parquet`,
      `${root}/a%20b.parquet`,
    ]) {
      expect(storage.localPath(uri)).toBe(join(root, 'a b.parquet'))
      expect(Buffer.from(await storage.read(uri)).toString()).toBe('x')
    }
    for (const uri of ['s3://bucket/a.parquet', 'file://elsewhere/a.parquet']) {
      await expect(storage.read(uri)).rejects.toMatchObject({ code: 'DELTA_PATH_UNSUPPORTED' })
    }
  })

  test('linked files are listed, linked folders are not walked', async () => {
    mkdirSync(join(root, 'elsewhere'))
    writeFileSync(join(root, 'elsewhere', 'a.parquet'), 'abc')
    mkdirSync(join(root, 'table'))
    symlinkSync(join(root, 'elsewhere'), join(root, 'table', 'folder'))
    symlinkSync(join(root, 'elsewhere', 'a.parquet'), join(root, 'table', 'a.parquet'))
    const files = await new LocalStorage(join(root, 'table')).listData()
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([['a.parquet', 3]])
  })

  test('a write that the file system refuses says so, changes nothing and leaves nothing', async () => {
    const storage = new LocalStorage(root)
    writeFileSync(join(root, 'file'), 'x')
    await expect(storage.putIfAbsent('file/below', Buffer.from('y'))).rejects.toMatchObject({
      code: 'DELTA_STORAGE_FAILED',
      canRetry: false,
      cause: { code: 'EEXIST' },
    })
    await expect(storage.put('_delta_log', Buffer.from('y'))).rejects.toMatchObject({
      code: 'DELTA_STORAGE_FAILED',
    })
    expect(readdirSync(join(root, '_delta_log'))).toEqual([])
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('x')
  })
})
