import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTestExperiments, registerModel } from '../experiments/test-experiments.ts'
import { ModelSlot } from './model-slot.ts'

let shop: Awaited<ReturnType<typeof openTestExperiments>>
let lines: string[]
let asked: number
let slot: ModelSlot

beforeEach(async () => {
  shop = await openTestExperiments()
  lines = []
  asked = 0
  const counting = {
    production: () => shop.registry.production(),
    artefact(version: number) {
      asked++
      return shop.registry.artefact(version)
    },
  }
  slot = new ModelSlot(
    counting,
    shop.erasures,
    pino({ level: 'error' }, { write: (line) => lines.push(line) }),
  )
})
afterEach(async () => {
  slot.close()
  await shop.close()
})

test('a version that cannot be had is reported once and tried again with pauses; the one in place serves', async () => {
  const first = await registerModel(shop.registry, { a: ['b'] })
  await shop.registry.promote(first.version, 'first')
  await slot.refresh()
  expect(slot.current()?.version).toBe(first.version)

  const before = new Set(readdirSync(shop.modelsFolder))
  const second = await registerModel(shop.registry, { a: ['c'] })
  const file = join(shop.modelsFolder, readdirSync(shop.modelsFolder).find((name) => !before.has(name))!)
  const bytes = readFileSync(file)
  writeFileSync(file, 'damaged')
  await shop.registry.promote(second.version, 'second')
  for (let n = 0; n < 5; n++) await slot.refresh()
  expect(slot.current()?.version).toBe(first.version)
  expect(asked).toBe(2)
  expect(lines).toHaveLength(1)

  writeFileSync(file, bytes)
  await expect
    .poll(() => slot.refresh().then(() => slot.current()?.version), { timeout: 5_000, interval: 100 })
    .toBe(second.version)
  expect(lines).toHaveLength(1)
})

test('another version is taken at once, whatever became of the one before', async () => {
  const first = await registerModel(shop.registry, { a: ['b'] })
  for (const name of readdirSync(shop.modelsFolder)) writeFileSync(join(shop.modelsFolder, name), 'damaged')
  await shop.registry.promote(first.version, 'first')
  await slot.refresh()
  expect(slot.current()).toBeNull()
  const second = await registerModel(shop.registry, { a: ['c'] })
  await shop.registry.promote(second.version, 'second')
  await slot.refresh()
  expect(slot.current()?.version).toBe(second.version)
})
