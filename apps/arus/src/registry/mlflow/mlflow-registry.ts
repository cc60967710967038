import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileParts, sizeBytesOf } from '@arus/recommenders'
import type { MlflowSettings } from '../../config/mlflow-settings.ts'
import type { ErasureStore } from '../../erasure/erasure-store.ts'
import { ArusError } from '../../errors.ts'
import { sha256Of } from '../artefact-hash.ts'
import type { ModelVersion, NewModelVersion, Registry } from '../registry.ts'
import { ArtefactCache } from './artefact-cache.ts'
import { MlflowApi, type MlflowVersion } from './mlflow-api.ts'
import { MlflowArtefacts } from './mlflow-artefacts.ts'
import { HASTY, ONCE } from './mlflow-request.ts'
import {
  knownRecordOf,
  modelVersionOf,
  promotionsOf,
  recordOf,
  runMetrics,
  runParams,
  runTags,
  type VersionRecord,
  versionTags,
  withPromotion,
} from './version-record.ts'

export interface MlflowRegistryOptions {
  readonly settings: MlflowSettings
  /** Names the shop: the experiment and the registered model are called `arus-SHOP`. */
  readonly shop: string
  /** Of copies of artefacts, and of what was in production when MLflow was last seen. */
  readonly folder: string
  readonly erasures: Pick<ErasureStore, 'erased'>
  readonly now?: () => number
}

/** The alias of the version that serves. */
const ALIAS = 'production'
/** Folder of a run's artefacts that a model version stands for, and the files in it. */
const MODEL_FOLDER = 'model'
const BUNDLE_FILE = 'bundle.arusmdl'
const RECORD_FILE = 'version.json'
const ELSEWHERE = 'promoted in MLflow'

/**
 * The registry on an MLflow server. Throws `ENGINE_UNREACHABLE` or `ENGINE_UNUSABLE` where it cannot be used; one that is only
 * away, and was seen from here before, is waited for: what was in production then serves meanwhile.
 */
export async function openMlflowRegistry(options: MlflowRegistryOptions): Promise<Registry> {
  const registry = new MlflowRegistry(options)
  await registry.open()
  return registry
}

class MlflowRegistry implements Registry {
  readonly #api: MlflowApi
  readonly #trackingUri: string
  readonly #shop: string
  readonly #name: string
  readonly #lastSeenFile: string
  readonly #artefacts: MlflowArtefacts
  readonly #copies: ArtefactCache
  readonly #erasures: Pick<ErasureStore, 'erased'>
  readonly #now: () => number
  /** In production when MLflow was last seen; undefined before it ever was. */
  #lastSeen: MlflowVersion | null | undefined

  constructor({ settings, shop, folder, erasures, now = Date.now }: MlflowRegistryOptions) {
    this.#api = new MlflowApi(settings)
    this.#artefacts = new MlflowArtefacts(settings)
    this.#trackingUri = settings.trackingUri
    this.#shop = shop
    this.#name = `arus-${shop}`
    this.#lastSeenFile = join(folder, 'production.json')
    this.#copies = new ArtefactCache({ folder, sizeBytesMax: settings.cacheBytes, now })
    this.#erasures = erasures
    this.#now = now
  }

  async open(): Promise<void> {
    try {
      await this.#api.check()
      await this.#api.ensureRegisteredModel(this.#name)
    } catch (error) {
      if (!isAway(error)) throw error
      this.#lastSeen = await this.#readLastSeen()
      if (this.#lastSeen === undefined) throw error
    }
  }

  /** The artefact is sent from the copy of this machine. It is whole in MLflow, and its run has ended, before there is a version of it. */
  async register(model: NewModelVersion, artefact: FileParts): Promise<ModelVersion> {
    const record: VersionRecord = { ...model, sha256: sha256Of(artefact), size_bytes: sizeBytesOf(artefact) }
    await this.#copies.put(record.sha256, artefact)
    const experiment = await this.#api.experiment(this.#name)
    await this.#api.ensureRegisteredModel(this.#name)
    const run = await this.#api.createRun({
      experiment_id: experiment,
      run_name: `${model.kind} ${new Date(model.trained_at).toISOString()}`,
      start_time: model.trained_at,
      tags: runTags(record, this.#shop),
    })
    try {
      await this.#api.log(run.run_id, runParams(record), runMetrics(record, model.trained_at))
      const source = `${run.artifact_uri}/${MODEL_FOLDER}`
      await this.#artefacts.upload(source, RECORD_FILE, new Blob([JSON.stringify(record, null, 2)]))
      await this.#artefacts.upload(source, BUNDLE_FILE, await this.#copies.blob(record.sha256))
      await this.#api.endRun(run.run_id, 'FINISHED', this.#now())
      const registered = await this.#api.createVersion({
        name: this.#name,
        run_id: run.run_id,
        source,
        description: model.reason,
        tags: versionTags(record),
      })
      return await this.#versionOf(registered, null)
    } catch (error) {
      // What went wrong first is what matters.
      await this.#api.endRun(run.run_id, 'FAILED', this.#now()).catch(() => {})
      throw error
    }
  }

  async list(): Promise<ModelVersion[]> {
    const production = numberOf(await this.#api.aliased(this.#name, ALIAS))
    // Others may have versions of their own in this registered model.
    const ours = (await this.#api.versions(this.#name)).filter((version) => recordOf(version) !== null)
    const erased = await this.#erasures.erased()
    return ours
      .map((version) => modelVersionOf(version, production, erased))
      .sort((a, b) => b.version - a.version)
  }

  async get(version: number): Promise<ModelVersion> {
    const found = await this.#find(version)
    return this.#versionOf(found, numberOf(await this.#api.aliased(this.#name, ALIAS)))
  }

  /** One request. While MLflow is away the answer is what it was before. */
  async production(): Promise<ModelVersion | null> {
    const found = await this.#aliased()
    return found === null ? null : this.#versionOf(found, numberOf(found))
  }

  /** The alias is moved last, since that is what counts. */
  async promote(version: number, reason: string): Promise<ModelVersion> {
    const found = await this.#find(version)
    // One that is not of Arus cannot serve.
    knownRecordOf(found)
    await this.#notePromotion(found, reason)
    await this.#api.setAlias(this.#name, ALIAS, version)
    return this.get(version)
  }

  async rollback(): Promise<ModelVersion> {
    const versions = await this.list()
    const current = versions.find(({ status }) => status === 'production')
    const before = versions
      .filter((model) => model !== current && model.promoted_at !== null && !model.outdated)
      .sort((a, b) => (b.promoted_at ?? 0) - (a.promoted_at ?? 0))[0]
    if (before === undefined)
      throw new ArusError(
        'MODEL_UNKNOWN',
        'There is no earlier version to go back to; "arus models" lists all',
      )
    return this.promote(before.version, `rolled back from version ${current?.version ?? 'none'}`)
  }

  async artefact(version: number): Promise<Uint8Array> {
    const found = await this.#findKnown(version)
    const { sha256, size_bytes } = knownRecordOf(found)
    const copy = await this.#copies.get(sha256)
    if (copy !== null) return copy
    const bytes = await this.#download(found, size_bytes)
    if (sha256Of([bytes]) !== sha256)
      throw new ArusError(
        'MODEL_FILE_CORRUPT',
        `The file of model version ${version} in MLflow does not match its checksum; train again or roll back`,
      )
    await this.#copies.put(sha256, [bytes])
    return bytes
  }

  /** Throws what is wrong: MLflow is away or refuses, or the alias is on a version that Arus cannot serve. */
  async isHealthy(): Promise<boolean> {
    const found = await this.#api.aliased(this.#name, ALIAS, ONCE)
    if (found !== null) knownRecordOf(found)
    return true
  }

  async #download(version: MlflowVersion, sizeBytes: number): Promise<Uint8Array> {
    try {
      return await this.#artefacts.download(version.source, BUNDLE_FILE, sizeBytes)
    } catch (error) {
      if (!(error instanceof ArusError) || error.details.status !== 404) throw error
      throw new ArusError(
        'MODEL_FILE_CORRUPT',
        `The file of model version ${version.version} is gone from MLflow (${version.source}); train again or roll back`,
        { cause: error },
      )
    }
  }

  /** Throws `MODEL_UNKNOWN`. */
  async #find(version: number): Promise<MlflowVersion> {
    const found = await this.#api.version(this.#name, version)
    if (found !== null) return found
    throw new ArusError('MODEL_UNKNOWN', `There is no model version ${version}; "arus models" lists all`)
  }

  /** The one in production is known without a request: so it can be loaded while MLflow is away. */
  async #findKnown(version: number): Promise<MlflowVersion> {
    return this.#lastSeen && numberOf(this.#lastSeen) === version ? this.#lastSeen : this.#find(version)
  }

  async #aliased(): Promise<MlflowVersion | null> {
    if (this.#lastSeen === undefined) return this.#see(await this.#api.aliased(this.#name, ALIAS))
    try {
      const found = await this.#api.aliased(this.#name, ALIAS, HASTY)
      await this.#noteIfElsewhere(found, this.#lastSeen)
      return await this.#see(found)
    } catch (error) {
      if (!isAway(error)) throw error
      return this.#lastSeen
    }
  }

  async #see(found: MlflowVersion | null): Promise<MlflowVersion | null> {
    const isNew = this.#lastSeen === undefined || numberOf(found) !== numberOf(this.#lastSeen)
    this.#lastSeen = found
    if (isNew) await this.#writeLastSeen(found)
    return found
  }

  /** An alias that was moved by others leaves no trace of when; the first who sees it writes that down, if it may write. */
  async #noteIfElsewhere(found: MlflowVersion | null, before: MlflowVersion | null): Promise<void> {
    if (found === null || numberOf(found) === numberOf(before) || recordOf(found) === null) return
    const promotedAt = promotionsOf(found).at(-1)?.at
    const beforeAt = before === null ? 0 : (promotionsOf(before).at(-1)?.at ?? 0)
    if (promotedAt !== undefined && promotedAt >= beforeAt) return
    await this.#notePromotion(found, ELSEWHERE).catch(() => {})
  }

  async #notePromotion(version: MlflowVersion, reason: string): Promise<void> {
    const number = Number(version.version)
    const tag = withPromotion(promotionsOf(version), { at: this.#now(), reason })
    await this.#api.setVersionTag(this.#name, number, tag)
    await this.#api.moveToProductionStage(this.#name, number)
  }

  async #versionOf(version: MlflowVersion, inProduction: number | null): Promise<ModelVersion> {
    return modelVersionOf(version, inProduction, await this.#erasures.erased())
  }

  async #readLastSeen(): Promise<MlflowVersion | null | undefined> {
    const text = await readFile(this.#lastSeenFile, 'utf8').catch(() => null)
    if (text === null) return undefined
    const { trackingUri, production } = JSON.parse(text) as LastSeen
    return trackingUri === this.#trackingUri ? production : undefined
  }

  async #writeLastSeen(production: MlflowVersion | null): Promise<void> {
    const temporary = `${this.#lastSeenFile}.${process.pid}.tmp`
    await mkdir(join(this.#lastSeenFile, '..'), { recursive: true })
    await writeFile(
      temporary,
      JSON.stringify({ trackingUri: this.#trackingUri, production } satisfies LastSeen),
    )
    await rename(temporary, this.#lastSeenFile)
  }
}

/** What was in production when MLflow was last seen, in a file of this machine. */
interface LastSeen {
  readonly trackingUri: string
  readonly production: MlflowVersion | null
}

function numberOf(version: MlflowVersion | null): number | null {
  return version === null ? null : Number(version.version)
}

function isAway(error: unknown): boolean {
  return error instanceof ArusError && error.code === 'ENGINE_UNREACHABLE'
}
