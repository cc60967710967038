import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arus, freePort, type Place, WITHOUT_ENGINES } from './end-to-end/running-arus.ts'

/** Nothing listens there. */
const NOBODY = `127.0.0.1:${await freePort()}`

let place: Place
beforeAll(() => {
  place = { dataDir: mkdtempSync(join(tmpdir(), 'arus-away-')), apiPort: 0, dashboardPort: 0 }
})
afterAll(() => rmSync(place.dataDir, { recursive: true, force: true }))

test.each([
  [
    'S3_ENDPOINT',
    `http://${NOBODY}`,
    { S3_BUCKET: 'arus', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'secret-of-s3' },
  ],
  ['DATABASE_URL', `postgres://arus:secret-of-postgres@${NOBODY}/shops`, {}],
  ['KAFKA_BOOTSTRAP_SERVERS', NOBODY, {}],
  ['REDIS_URL', `redis://:secret-of-valkey@${NOBODY}`, {}],
  ['MLFLOW_TRACKING_URI', `http://${NOBODY}`, {}],
])(
  'a server that starts while %s names nobody ends with one line and an exit code that says "try again"',
  async (name, value, more) => {
    const settings = { ...WITHOUT_ENGINES, ...more, [name]: value, ARUS_LOG_LEVEL: 'warn' }
    const { status, out, err } = await arus(
      { ...place, settings },
      'start',
      '--no-dashboard',
      '--size',
      '20',
      '--shoppers',
      '0',
    )
    const said = err.split('\n').filter((line) => line.startsWith('arus: '))
    expect({ status, out, said }).toEqual({ status: 5, out: '', said: [expect.stringContaining(NOBODY)] })
    expect(err).not.toMatch(/secret-of|\n {4}at /)
  },
)
