import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NewModelVersion, Registry } from './registry.ts'

/** An adapter under test, empty at first. */
export interface RegistryUnderTest {
  open(): Promise<Registry>
  /** Changes the stored bytes of every artefact. */
  damageArtefacts(): Promise<void>
  destroy(): Promise<void>
}

const MODEL: NewModelVersion = {
  kind: 'walk',
  metrics: { walk: { 'ndcg@20': 0.25 }, popular: { 'ndcg@20': 0.1 } },
  params: { endExponent: 0.4 },
  table_versions: { 'silver.interactions': 7 },
  user_count: 10,
  product_count: 20,
  interaction_count: 100,
  trained_at: 1_770_000_000_000,
  reason: 'first',
}

/** What every adapter of `Registry` must do. */
export function registryContract(adapter: string, prepare: () => Promise<RegistryUnderTest>): void {
  describe(`model registry: ${adapter}`, () => {
    let under: RegistryUnderTest
    let registry: Registry
    beforeEach(async () => {
      under = await prepare()
      registry = await under.open()
    })
    afterEach(() => under.destroy())

    test('a version comes back as it was registered, a candidate, with its bytes', async () => {
      const bytes = Uint8Array.of(1, 2, 3)
      const registered = await registry.register(MODEL, [bytes.subarray(0, 1), bytes.subarray(1)])
      expect(registered).toMatchObject({ ...MODEL, status: 'candidate', promoted_at: null, size_bytes: 3 })
      const again = await under.open()
      expect(await again.get(registered.version)).toEqual(registered)
      expect(new Uint8Array(await again.artefact(registered.version))).toEqual(bytes)
      expect(await registry.production()).toBeNull()
    })

    test('one version is in production; the one before is archived; rollback brings it back', async () => {
      const [first, second] = [
        await registry.register(MODEL, [Uint8Array.of(1)]),
        await registry.register(MODEL, [Uint8Array.of(2)]),
      ]
      await registry.promote(first.version, 'better than nothing')
      await registry.promote(second.version, 'better than the first')
      expect(await registry.production()).toMatchObject({
        version: second.version,
        reason: 'better than the first',
      })
      expect((await registry.list()).map(({ version, status }) => [version, status])).toEqual([
        [second.version, 'production'],
        [first.version, 'archived'],
      ])
      const again = await under.open()
      expect((await again.rollback()).version).toBe(first.version)
      expect((await registry.production())?.version).toBe(first.version)
    })

    test('unknown versions and nothing to go back to are told apart from damage', async () => {
      await expect(registry.get(99)).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
      await expect(registry.promote(99, 'x')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
      await expect(registry.rollback()).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
      const { version } = await registry.register(MODEL, [Uint8Array.of(1, 2, 3)])
      await under.damageArtefacts()
      await expect(registry.artefact(version)).rejects.toMatchObject({ code: 'MODEL_FILE_CORRUPT' })
    })
  })
}
