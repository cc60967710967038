/** Models on a real MLflow: the registry's contract, what is seen in MLflow itself, and what happens when it is away. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MlflowSettings } from '../../src/config/mlflow-settings.ts'
import { MlflowApi } from '../../src/registry/mlflow/mlflow-api.ts'
import { openMlflowRegistry } from '../../src/registry/mlflow/mlflow-registry.ts'
import { registryContract } from '../../src/registry/registry-contract.ts'

const trackingUri = process.env.MLFLOW_TRACKING_URI ?? 'http://127.0.0.1:5000'
const settings: MlflowSettings = {
  trackingUri,
  username: null,
  password: null,
  token: null,
  cacheBytes: 64 * 1024 * 1024,
}
const api = new MlflowApi(settings)
const newName = () => `t${randomUUID().slice(0, 8)}`

registryContract('MLflow', async () => {
  const shop = newName()
  const folder = mkdtempSync(join(tmpdir(), 'arus-mlflow-'))
  return {
    open: () => openMlflowRegistry({ settings, shop, folder, erasures: { erased: async () => [] } }),
    async damageArtefacts() {
      for (const { source } of await api.versions(`arus-${shop}`))
        await api.upload(source, 'bundle.arusmdl', Buffer.from('damaged'))
      for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'damaged')
    },
    async destroy() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
})
