/** Models on a real MLflow: the registry's contract, what is seen in MLflow itself, and what happens when it is away. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Health } from '../../src/api-schema/index.ts'
import type { MlflowSettings } from '../../src/config/mlflow-settings.ts'
import { MlflowApi } from '../../src/registry/mlflow/mlflow-api.ts'
import { MlflowArtefacts } from '../../src/registry/mlflow/mlflow-artefacts.ts'
import { openMlflowRegistry } from '../../src/registry/mlflow/mlflow-registry.ts'
import type { NewModelVersion, Registry } from '../../src/registry/registry.ts'
import { registryContract } from '../../src/registry/registry-contract.ts'
import { trainInProcess } from '../../src/training/train-in-process.ts'
import { openParts } from '../../src/wiring.ts'
import { freePort } from '../end-to-end/running-arus.ts'
import { importProducts, newShop, RunningShop, type Shop, shopAWhile } from '../forget/shop.ts'
import { HttpFront } from './http-front.ts'
import { TcpGate } from './tcp-gate.ts'

const address = new URL(process.env.MLFLOW_TRACKING_URI ?? 'http://127.0.0.1:5000')
const settings: MlflowSettings = {
  trackingUri: address.origin,
  username: null,
  password: null,
  token: null,
  cacheBytes: 64 * 1024 * 1024,
}
const api = new MlflowApi(settings)
const newName = () => `t${randomUUID().slice(0, 8)}`
const noErasures = { erased: async () => [] }
const folders: string[] = []

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arus-mlflow-registry-'))
  folders.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function openFor(shop: string, folder: string, trackingUri = settings.trackingUri): Promise<Registry> {
  return openMlflowRegistry({
    settings: { ...settings, trackingUri },
    shop,
    folder,
    erasures: noErasures,
  })
}

registryContract('MLflow', async () => {
  const shop = newName()
  const folder = newFolder()
  return {
    open: () => openFor(shop, folder),
    async damageArtefacts() {
      for (const { source } of await api.versions(`arus-${shop}`))
        await new MlflowArtefacts(settings).upload(source, 'bundle.arusmdl', new Blob(['damaged']))
      for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'damaged')
    },
    async destroy() {},
  }
})

const MODEL: NewModelVersion = {
  kind: 'walk',
  metrics: { walk: { 'ndcg@20': 0.25 } },
  params: {
    long: 'x'.repeat(20_000),
    many: Object.fromEntries(Array.from({ length: 250 }, (_, n) => [n, n])),
  },
  table_versions: { 'silver.interactions': 7 },
  user_count: 10,
  product_count: 20,
  interaction_count: 100,
  trained_at: 1_770_000_000_000,
  reason: 'first 😀',
}

describe('the registry on MLflow', () => {
  test('a machine that has no copy gets the artefact from MLflow, and keeps one', async () => {
    const shop = newName()
    const bytes = new Uint8Array(5_000_000).fill(7)
    const { version } = await (await openFor(shop, newFolder())).register(MODEL, [bytes])
    const folder = newFolder()
    const other = await openFor(shop, folder)
    expect(await other.get(version)).toMatchObject({ params: MODEL.params, reason: MODEL.reason })
    expect(Buffer.compare(await other.artefact(version), bytes)).toBe(0)
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.model$/)])
  })

  test('a version whose making was not answered is found, and is not there twice', async () => {
    await using front = await HttpFront.before(address)
    const shop = newName()
    const registry = await openFor(shop, newFolder(), front.url)
    front.loseAnswerTo('/model-versions/create')
    const registered = await registry.register(MODEL, [Uint8Array.of(1)])
    expect((await registry.list()).map(({ version }) => version)).toEqual([registered.version])
  })

  test('there is no version of an artefact that did not arrive, and its run has failed', async () => {
    await using front = await HttpFront.before(address)
    const shop = newName()
    const registry = await openFor(shop, newFolder(), front.url)
    front.cut('bundle.arusmdl')
    await expect(registry.register(MODEL, [new Uint8Array(1_000)])).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
    })
    expect(await registry.list()).toEqual([])
    const experiment_ids = [await api.experiment(`arus-${shop}`)]
    const { runs } = (await mlflow('runs/search', { experiment_ids })) as { runs: unknown[] }
    expect(runs).toMatchObject([{ info: { status: 'FAILED' } }])
  })

  test('looking after the production version costs one request', async () => {
    await using front = await HttpFront.before(address)
    const shop = newName()
    const registry = await openFor(shop, newFolder(), front.url)
    const { version } = await registry.register(MODEL, [Uint8Array.of(1)])
    await registry.promote(version, 'first')
    await registry.production()
    front.paths.length = 0
    expect(await registry.production()).toMatchObject({ version })
    expect(front.paths).toEqual([expect.stringMatching(/\/registered-models\/alias\?/)])
  })

  test('versions of others in the registered model are left alone; with the alias they cannot serve', async () => {
    const shop = newName()
    const registry = await openFor(shop, newFolder())
    const own = await registry.register(MODEL, [Uint8Array.of(1)])
    await mlflow('model-versions/create', { name: `arus-${shop}`, source: 's3://elsewhere/model' })
    expect((await registry.list()).map(({ version }) => version)).toEqual([own.version])
    await mlflow('registered-models/alias', { name: `arus-${shop}`, alias: 'production', version: '2' })
    await expect(registry.production()).rejects.toThrow(/version 2 in MLflow was not registered by Arus/)
    await expect(registry.isHealthy()).rejects.toThrow(/not registered by Arus/)
  })
})

describe('a shop whose models are in MLflow', () => {
  const name = newName()
  let gate: TcpGate
  let shop: Shop
  let running: RunningShop
  beforeAll(async () => {
    gate = await TcpGate.before({ hostname: address.hostname, port: Number(address.port) })
    shop = newShop({ ARUS_SHOP: name, MLFLOW_TRACKING_URI: `http://127.0.0.1:${gate.port}` })
    await importProducts(shop)
    running = await RunningShop.start(shop)
    await shopAWhile(running)
  })
  afterAll(async () => {
    await running.stop()
    await gate[Symbol.asyncDispose]()
    shop.destroy()
  })

  const served = async () => ((await running.get('/health')) as Health).model?.version
  const untilServed = (version: number) =>
    expect.poll(served, { timeout: 5_000, interval: 100 }).toBe(version)
  const registry = () => running.parts.registry()

  test('a training is a run with parameters, metrics and artefacts, and a version that has the alias', async () => {
    const { experiment } = (await mlflow(
      `experiments/get-by-name?${new URLSearchParams({ experiment_name: `arus-${name}` })}`,
    )) as { experiment: { experiment_id: string } }
    const experiment_ids = [experiment.experiment_id]
    const { runs } = (await mlflow('runs/search', { experiment_ids })) as { runs: RunSeen[] }
    expect(runs).toHaveLength(1)
    const { info, data } = runs[0]!
    expect(info.status).toBe('FINISHED')
    const metrics = Object.fromEntries(data.metrics.map(({ key, value }) => [key, value]))
    const production = (await (await registry()).production())!
    expect(metrics['walk/ndcg_at_20']).toBe(production.metrics.walk?.['ndcg@20'])
    expect(data.params).toContainEqual({ key: 'test_share', value: '0.2' })
    expect(data.tags).toContainEqual({ key: 'arus.shop', value: name })
    const { files } = (await mlflow(`artifacts/list?run_id=${info.run_id}&path=model`)) as {
      files: unknown[]
    }
    expect(files).toMatchObject([
      { path: 'model/bundle.arusmdl', file_size: production.size_bytes },
      { path: 'model/version.json' },
    ])
    const { model_version } = (await mlflow(
      `registered-models/alias?name=arus-${name}&alias=production`,
    )) as { model_version: { version: string; run_id: string; current_stage: string } }
    expect(model_version).toMatchObject({ version: '1', run_id: info.run_id, current_stage: 'Production' })
    expect(await served()).toBe(1)
  })

  test('a training in a process of its own is served', async () => {
    const report = await trainInProcess({
      entry: join(import.meta.dirname, '../../src/server/training-process.ts'),
      order: { settings: shop.settings, force: true, trialsMax: 2 },
      onProgress: () => {},
      signal: new AbortController().signal,
    })
    expect(report.version).toMatchObject({ version: 2, status: 'production' })
    await untilServed(2)
  })

  test('an alias that is moved in MLflow is followed within seconds, without a request that fails', async () => {
    let isOver = false
    const statuses = new Set<number>()
    const asking = (async () => {
      for (; !isOver; ) {
        const { status } = await fetch(`${running.server.apiUrl}/recommendations/user/user-3?limit=5`)
        statuses.add(status)
      }
    })()
    await mlflow('registered-models/alias', { name: `arus-${name}`, alias: 'production', version: '1' })
    await untilServed(1)
    isOver = true
    await asking
    expect([...statuses]).toEqual([200])
    await expect
      .poll(async () => (await (await registry()).production())?.reason, { timeout: 5_000 })
      .toBe('promoted in MLflow')
    expect(await (await registry()).rollback()).toMatchObject({ version: 2, status: 'production' })
    await untilServed(2)
  })

  test('while MLflow is away recommendations go on, health says why, and promotions work again after', async () => {
    const answers = async () => {
      const users = [1, 2, 3, 4, 5].map((n) => running.get(`/recommendations/user/user-${n}?limit=3`))
      return (await Promise.all(users)).map((answer) => {
        const { model, recommendations } = answer as { model: unknown; recommendations: object[] }
        return { model, recommendations }
      })
    }
    const before = await answers()
    gate.shut()
    expect(await answers()).toEqual(before)
    const health = (await running.get('/health')) as Health
    expect(health).toMatchObject({ status: 'degraded', model: { version: 2 } })
    expect(health.slots.filter(({ status }) => status === 'down')).toMatchObject([
      { slot: 'model registry', problem: expect.stringContaining('MLflow does not answer') },
    ])
    const response = await fetch(`${running.server.apiUrl}/models`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    await expect((await registry()).promote(1, 'now')).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    // As a server does that starts now.
    const parts = openParts(shop.settings)
    const again = await parts.registry()
    expect(await again.production()).toMatchObject({ version: 2, status: 'production' })
    expect((await again.artefact(2)).length).toBeGreaterThan(0)
    await parts.close()
    gate.open()
    await (await registry()).promote(1, 'after')
    await untilServed(1)
    expect(((await running.get('/health')) as Health).status).toBe('ok')
  })
})

describe('settings of MLflow that are wrong', () => {
  let front: HttpFront
  let closedPort: number
  beforeAll(async () => {
    closedPort = await freePort()
    const authorization = `Basic ${Buffer.from('arus:right').toString('base64')}`
    front = await HttpFront.before(address, { authorization })
  })
  afterAll(() => front[Symbol.asyncDispose]())

  test.each([
    [
      'nobody at the address',
      () => ({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${closedPort}` }),
      /ECONNREFUSED/,
    ],
    [
      'a host that is not there',
      () => ({ MLFLOW_TRACKING_URI: 'http://no-such-host.invalid:5000' }),
      /ENOTFOUND|EAI_AGAIN/,
    ],
    ['no password', () => ({ MLFLOW_TRACKING_URI: front.url }), /does not take the name and password/],
    [
      'a wrong password',
      () => ({ MLFLOW_TRACKING_URI: front.url.replace('//', '//arus:wrong@') }),
      /does not take the name and password.*MLFLOW_TRACKING_PASSWORD/,
    ],
    ['a wrong path', () => ({ MLFLOW_TRACKING_URI: `${address.origin}/ml` }), /check MLFLOW_TRACKING_URI/],
  ])('%s: one clear line within seconds', async (_, environment, message) => {
    const shop = newShop(environment())
    const parts = openParts(shop.settings)
    const startedAt = performance.now()
    const failure = await parts.registry().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect((failure as Error).message).toMatch(message)
    expect((failure as Error).message).not.toMatch(/\n|wrong@/)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await parts.close()
    shop.destroy()
  })

  test('the right password is taken, from the address or beside it', async () => {
    for (const environment of [
      { MLFLOW_TRACKING_URI: front.url.replace('//', '//arus:right@') },
      {
        MLFLOW_TRACKING_URI: front.url,
        MLFLOW_TRACKING_USERNAME: 'arus',
        MLFLOW_TRACKING_PASSWORD: 'right',
      },
    ]) {
      const shop = newShop({ ARUS_SHOP: newName(), ...environment })
      const parts = openParts(shop.settings)
      expect(await (await parts.registry()).production()).toBeNull()
      await parts.close()
      shop.destroy()
    }
  })
})

interface RunSeen {
  readonly info: { readonly run_id: string; readonly status: string }
  readonly data: {
    readonly metrics: readonly { readonly key: string; readonly value: number }[]
    readonly params: readonly object[]
    readonly tags: readonly object[]
  }
}

/** MLflow's REST API as any client uses it: POST with a body, GET without. */
async function mlflow(path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${address.origin}/api/2.0/mlflow/${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  })
  expect(response.status).toBe(200)
  return response.json()
}
