import { randomFillSync } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { ApiKeyTable, ArusDatabase } from '../database/database.ts'
import { ArusError } from '../errors.ts'
import type { ApiKey, CreatedKey, KeyKind, NewApiKey } from './api-key.ts'
import { hashOfKeyText, newKeyText } from './key-text.ts'

/** Keys in force at most: all of them are kept in memory. */
const KEYS_MAX = 1_000

export interface KeyStoreOptions {
  readonly database: ArusDatabase
  readonly now?: () => number
  readonly fillRandom?: (bytes: Buffer) => Buffer
}

/** A key in force and the hash that proves it. */
export interface StoredKey {
  readonly key: ApiKey
  readonly hash: Buffer
}

/** Keys in the shop's database. */
export class KeyStore {
  readonly #database: ArusDatabase
  readonly #now: () => number
  readonly #fillRandom: (bytes: Buffer) => Buffer

  constructor({ database, now = Date.now, fillRandom = randomFillSync }: KeyStoreOptions) {
    this.#database = database
    this.#now = now
    this.#fillRandom = fillRandom
  }

  /** Makes a key; its text is given here and never again. Throws `REQUEST_INVALID` when there are too many. */
  async create({ kind, name, origins, rate_limit_per_minute }: NewApiKey): Promise<CreatedKey> {
    const { id, text } = newKeyText(kind, this.#fillRandom)
    const row = await this.#database.transaction().execute(async (transaction) => {
      if ((await inForce(transaction)).length >= KEYS_MAX) {
        throw new ArusError(
          'REQUEST_INVALID',
          `There are ${KEYS_MAX} keys in force already; revoke one first`,
        )
      }
      return transaction
        .insertInto('api_keys')
        .values({
          id,
          kind,
          name,
          sha256: hashOfKeyText(text).toString('hex'),
          origins: JSON.stringify(origins),
          rate_limit_per_minute,
          created_at: this.#now(),
          last_used_at: null,
          revoked_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    return { key: keyOf(row), text }
  }

  /** Newest first, revoked ones too. */
  async list(): Promise<ApiKey[]> {
    const rows = await this.#database
      .selectFrom('api_keys')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map(keyOf)
  }

  /** Keys that were not revoked, with their hashes. */
  async inForce(): Promise<StoredKey[]> {
    const rows = await inForce(this.#database)
    return rows.map((row) => ({ key: keyOf(row), hash: Buffer.from(row.sha256, 'hex') }))
  }

  /** Ends a key; one that was ended keeps its time. Throws `KEY_UNKNOWN`. */
  async revoke(id: string): Promise<ApiKey> {
    await this.#database
      .updateTable('api_keys')
      .set({ revoked_at: this.#now() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute()
    const row = await this.#database
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (row !== undefined) return keyOf(row)
    throw new ArusError('KEY_UNKNOWN', `There is no key ${id.slice(0, 20)}; "arus keys list" lists all`)
  }

  /** Notes when keys were last used. */
  async touch(times: ReadonlyMap<string, number>): Promise<void> {
    if (times.size === 0) return
    await this.#database.transaction().execute(async (transaction) => {
      for (const [id, last_used_at] of times) {
        await transaction.updateTable('api_keys').set({ last_used_at }).where('id', '=', id).execute()
      }
    })
  }
}

function inForce(database: ArusDatabase): Promise<Selectable<ApiKeyTable>[]> {
  return database.selectFrom('api_keys').selectAll().where('revoked_at', 'is', null).execute()
}

function keyOf(row: Selectable<ApiKeyTable>): ApiKey {
  return {
    id: row.id,
    kind: row.kind as KeyKind,
    name: row.name,
    origins: JSON.parse(row.origins) as string[],
    rate_limit_per_minute: row.rate_limit_per_minute,
    created_at: Number(row.created_at),
    last_used_at: row.last_used_at === null ? null : Number(row.last_used_at),
    revoked_at: row.revoked_at === null ? null : Number(row.revoked_at),
  }
}
