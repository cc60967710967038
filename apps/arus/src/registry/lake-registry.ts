import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileParts, sizeBytesOf } from '@arus/recommenders'
import type { Selectable } from 'kysely'
import type { ArusDatabase, ModelTable } from '../database/database.ts'
import { type ErasedHistory, ErasureStore, isOutdated } from '../erasure/erasure-store.ts'
import { ArusError } from '../errors.ts'
import { sha256Of } from './artefact-hash.ts'
import type { ModelStatus, ModelVersion, NewModelVersion, Registry } from './registry.ts'

export interface LakeRegistryOptions {
  readonly database: ArusDatabase
  /** Where artefacts stand, named by their SHA-256. */
  readonly folder: string
  readonly now?: () => number
}

/** The registry in the shop's database, with artefacts in a folder. */
export function openRegistry(options: LakeRegistryOptions): Registry {
  return new LakeRegistry(options)
}

class LakeRegistry implements Registry {
  readonly #database: ArusDatabase
  readonly #folder: string
  readonly #now: () => number
  readonly #erasures: ErasureStore

  constructor({ database, folder, now = Date.now }: LakeRegistryOptions) {
    this.#database = database
    this.#erasures = new ErasureStore({ database })
    this.#folder = folder
    this.#now = now
  }

  /** The artefact is on disk before the row that names it, so that no version is without one. */
  async register(model: NewModelVersion, artefact: FileParts): Promise<ModelVersion> {
    const sha256 = sha256Of(artefact)
    await this.#store(sha256, artefact)
    const { kind, trained_at, reason, ...details } = model
    const row = await this.#database
      .insertInto('models')
      .values({
        kind,
        status: 'candidate' satisfies ModelStatus,
        details: JSON.stringify(details),
        sha256,
        size_bytes: sizeBytesOf(artefact),
        trained_at,
        promoted_at: null,
        reason,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return this.#versionOf(row)
  }

  async list(): Promise<ModelVersion[]> {
    const rows = await this.#database.selectFrom('models').selectAll().orderBy('version', 'desc').execute()
    const erased = await this.#erasures.erased()
    return rows.map((row) => versionOf(row, erased))
  }

  async get(version: number): Promise<ModelVersion> {
    return this.#versionOf(await this.#row(version))
  }

  async production(): Promise<ModelVersion | null> {
    const row = await productionIn(this.#database)
    return row === undefined ? null : this.#versionOf(row)
  }

  async promote(version: number, reason: string): Promise<ModelVersion> {
    await this.#row(version)
    await this.#database.transaction().execute((transaction) => this.#promoteIn(transaction, version, reason))
    return this.get(version)
  }

  async #promoteIn(transaction: ArusDatabase, version: number, reason: string): Promise<void> {
    const at = this.#now()
    await transaction
      .updateTable('models')
      .set({ status: 'archived' })
      .where('status', '=', 'production')
      .execute()
    await transaction
      .updateTable('models')
      .set({ status: 'production', promoted_at: at, reason })
      .where('version', '=', version)
      .execute()
    await transaction.insertInto('model_promotions').values({ version, at, reason }).execute()
  }

  async rollback(): Promise<ModelVersion> {
    const outdated = (await this.list()).filter((model) => model.outdated).map(({ version }) => version)
    const version = await this.#database.transaction().execute(async (transaction) => {
      const current = (await productionIn(transaction))?.version
      const before = await transaction
        .selectFrom('model_promotions')
        .select('version')
        .where('version', 'not in', [current ?? -1, ...outdated])
        .orderBy('id', 'desc')
        .executeTakeFirst()
      if (before === undefined)
        throw new ArusError(
          'MODEL_UNKNOWN',
          'There is no earlier version to go back to; "arus models" lists all',
        )
      await this.#promoteIn(transaction, before.version, `rolled back from version ${current ?? 'none'}`)
      return before.version
    })
    return this.get(version)
  }

  async artefact(version: number): Promise<Uint8Array> {
    const { sha256 } = await this.#row(version)
    const bytes = await readFile(this.#path(sha256)).catch((error: unknown) => {
      throw new ArusError(
        'MODEL_FILE_CORRUPT',
        `The file of model version ${version} is gone (${sha256}); train again or roll back`,
        { cause: error },
      )
    })
    if (sha256Of([bytes]) === sha256) return bytes
    throw new ArusError(
      'MODEL_FILE_CORRUPT',
      `The file of model version ${version} does not match its checksum; train again or roll back`,
    )
  }

  async isHealthy(): Promise<boolean> {
    try {
      await this.#database.selectFrom('models').select('version').limit(1).execute()
      return true
    } catch {
      return false
    }
  }

  async #versionOf(row: Selectable<ModelTable>): Promise<ModelVersion> {
    return versionOf(row, await this.#erasures.erased())
  }

  async #row(version: number): Promise<Selectable<ModelTable>> {
    const row = await this.#database
      .selectFrom('models')
      .selectAll()
      .where('version', '=', version)
      .executeTakeFirst()
    if (row !== undefined) return row
    throw new ArusError('MODEL_UNKNOWN', `There is no model version ${version}; "arus models" lists all`)
  }

  async #store(sha256: string, artefact: FileParts): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const temporary = `${this.#path(sha256)}.${process.pid}.tmp`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(artefact)
      await file.sync()
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    } finally {
      await file.close()
    }
    await rename(temporary, this.#path(sha256))
    const folder = await open(this.#folder, 'r')
    await folder.sync().finally(() => folder.close())
  }

  #path(sha256: string): string {
    return join(this.#folder, `${sha256}.model`)
  }
}

function productionIn(database: ArusDatabase): Promise<Selectable<ModelTable> | undefined> {
  return database.selectFrom('models').selectAll().where('status', '=', 'production').executeTakeFirst()
}

function versionOf(row: Selectable<ModelTable>, erased: readonly ErasedHistory[]): ModelVersion {
  const details = JSON.parse(row.details) as Omit<NewModelVersion, 'kind' | 'trained_at' | 'reason'>
  const trainedAtMs = Number(row.trained_at)
  return {
    ...details,
    version: row.version,
    kind: row.kind,
    status: row.status as ModelStatus,
    size_bytes: Number(row.size_bytes),
    trained_at: trainedAtMs,
    promoted_at: row.promoted_at === null ? null : Number(row.promoted_at),
    reason: row.reason,
    outdated: isOutdated(erased, trainedAtMs),
  }
}
