import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ArusError } from '../errors.ts'
import { readSettings } from './settings.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-settings-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('with nothing set: loopback, ports 8000 and 8501, data beside the caller', () => {
  const settings = readSettings({}, folder)
  expect(settings).toMatchObject({
    shop: 'shop',
    host: '127.0.0.1',
    apiPort: 8000,
    dashboardPort: 8501,
    dataDir: join(folder, 'data'),
  })
})

test('.env fills in what the environment leaves open; an empty variable is open', () => {
  writeFileSync(join(folder, '.env'), 'ARUS_API_PORT=9001\nARUS_SHOP=toko\nARUS_HOST="0.0.0.0"\n')
  const settings = readSettings({ ARUS_SHOP: 'warung', ARUS_API_PORT: '' }, folder)
  expect(settings).toMatchObject({ apiPort: 9001, shop: 'warung', host: '0.0.0.0' })
})

test('every wrong variable is named at once', () => {
  const read = () =>
    readSettings(
      {
        ARUS_API_PORT: 'http',
        ARUS_SHOP: 'My Shop',
        ARUS_LOG_LEVEL: 'loud',
        ARUS_PARTITIONS: '0',
        ARUS_TIME_ZONE: '+07:00',
      },
      folder,
    )
  expect(read).toThrow(ArusError)
  expect(read).toThrow(/ARUS_API_PORT.*ARUS_LOG_LEVEL|ARUS_SHOP/)
  for (const name of ['ARUS_API_PORT', 'ARUS_SHOP', 'ARUS_LOG_LEVEL', 'ARUS_PARTITIONS', 'ARUS_TIME_ZONE'])
    expect(read).toThrow(name)
})

test('an engine that cannot be used yet is refused, not ignored', () => {
  expect(() => readSettings({ KAFKA_BOOTSTRAP_SERVERS: 'localhost:9092' }, folder)).toThrow(
    /KAFKA_BOOTSTRAP_SERVERS/,
  )
})
