/** A user's Arus on all engines at once: catalogue → events → Kafka → live state → Delta on S3 → training → MLflow → served → Trino. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Health } from '../../src/api-schema/index.ts'
import { arus, freePort, type Place, RunningArus } from '../end-to-end/running-arus.ts'

let folder: string
let place: Place
let running: RunningArus
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-all-'))
  place = {
    dataDir: join(folder, 'data'),
    apiPort: await freePort(),
    dashboardPort: await freePort(),
    // Everything else is in the environment already, as the engines' launcher gives it. Without Spark, which takes more than six minutes
    // on two cores to refine a new shop's lake in a bucket.
    settings: { ARUS_SHOP: `t${randomUUID().slice(0, 8)}`, ARUS_LOG_LEVEL: 'error', SPARK_REMOTE: '' },
  }
  running = await RunningArus.start(place, ['--size', '2000', '--shoppers', '300'], 400_000)
}, 420_000)
afterAll(async () => {
  await running?.interrupt()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('every slot is on its engine and well', async () => {
  const { slots } = (await (await fetch(`${running.apiUrl}/health`)).json()) as Health
  const adapters = Object.fromEntries(
    slots.map(({ slot, adapter, status }) => [slot, `${adapter} ${status}`]),
  )
  expect(adapters).toEqual({
    'event log': 'kafka ok',
    'live state': 'valkey ok',
    'object store': 's3 ok',
    compute: 'duckdb and a training process ok',
    sql: 'trino ok',
    'model registry': 'mlflow ok',
    database: 'postgresql ok',
  })
})

test('a model was trained from the lake, registered in MLflow and serves', async () => {
  const answer = await (await fetch(`${running.apiUrl}/recommendations/user/1?limit=5`)).json()
  expect(answer).toMatchObject({
    fallback: null,
    model: { version: 1 },
    recommendations: [{}, {}, {}, {}, {}],
  })
  const { MLFLOW_TRACKING_URI } = process.env
  const name = `arus-${place.settings?.ARUS_SHOP}`
  const found = await fetch(
    `${MLFLOW_TRACKING_URI}/api/2.0/mlflow/registered-models/alias?name=${name}&alias=production`,
  )
  expect(await found.json()).toMatchObject({ model_version: { name, version: '1' } })
})

test('arus check is green: shapes, refusals, and events on their way through API, live state, streams and lake', async () => {
  const { status, out, err } = await arus(place, 'check')
  expect(status, out + err).toBe(0)
})

test('Trino counts the events of a period as the dashboard shows them', async () => {
  const from = new Date(Date.now() - 20 * 86_400_000).toISOString()
  const to = new Date(Date.now() - 2 * 86_400_000).toISOString()
  const shown = await fetch(`${running.apiUrl}/analytics/user_behavior?from=${from}&to=${to}`)
  const { events } = (await shown.json()) as { events: number }
  expect(events).toBeGreaterThan(1_000)
  const sql = `SELECT count(*) AS n FROM silver.events
    WHERE ts >= from_iso8601_timestamp('${from}') AND ts < from_iso8601_timestamp('${to}')`
  const { status, out, err } = await arus(place, 'sql', '--format', 'csv', sql)
  expect(status, err).toBe(0)
  expect(Number(out.trim().split(/\s+/).at(-1))).toBe(events)
})
