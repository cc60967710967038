import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { ArusDatabase, ErasureTable } from '../database/database.ts'
import { removeRemains } from '../database/remains.ts'
import { ArusError } from '../errors.ts'
import type { ProgressReport } from '../progress.ts'
import type { Erasure, ErasureReport, ErasureWork } from './erasure.ts'

export interface ErasureStoreOptions {
  readonly database: ArusDatabase
  readonly now?: () => number
}

/** What was erased, and how long models may hold it. */
export interface ErasedHistory {
  /** Of each name. */
  readonly hashes: readonly string[]
  /** Models trained from this moment on may hold it, UTC ms … */
  readonly fromMs: number
  /** … up to this one, infinite while the work goes on. */
  readonly untilMs: number
}

/**
 * Requests to forget shoppers, in the shop's database: one that was made survives a crash and is carried out by whoever
 * runs on the data next. Who it was is overwritten when it is done; a hash stays.
 */
export class ErasureStore {
  readonly #database: ArusDatabase
  readonly #now: () => number

  constructor({ database, now = Date.now }: ErasureStoreOptions) {
    this.#database = database
    this.#now = now
  }

  /** Makes a request, or gives the one that waits for the same shopper; returns its id. */
  async request(shopper: string): Promise<number> {
    const work: ErasureWork = { shopper, names: null, removed: {}, remains: [] }
    return this.#database.transaction().execute(async (transaction) => {
      const waiting = (await pendingIn(transaction)).find((request) => request.work?.shopper === shopper)
      if (waiting !== undefined) {
        await transaction
          .updateTable('erasures')
          .set({ failure: null })
          .where('id', '=', waiting.id)
          .execute()
        return waiting.id
      }
      const row = await transaction
        .insertInto('erasures')
        .values({
          hashes: JSON.stringify([hashOf(shopper)]),
          work: JSON.stringify(work),
          requested_at: this.#now(),
          finished_at: null,
          first_event_at: null,
          progress: null,
          failure: null,
          report: null,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      return row.id
    })
  }

  /** Those that are not done, the oldest first. */
  pending(): Promise<Erasure[]> {
    return pendingIn(this.#database)
  }

  async get(id: number): Promise<Erasure> {
    return erasureOf(await this.#row(id))
  }

  /** Keeps how far the work has come in what it found. */
  async keep(id: number, work: ErasureWork, firstEventAtMs: number | null): Promise<void> {
    const { shopper, names } = work
    const hashes = [shopper, ...(names?.anonymousIds ?? [])].map(hashOf)
    await this.#database
      .updateTable('erasures')
      .set({
        hashes: JSON.stringify(hashes),
        work: JSON.stringify(work),
        ...(firstEventAtMs === null ? {} : { first_event_at: firstEventAtMs }),
      })
      .where('id', '=', id)
      .execute()
  }

  /** Tells others how far it is. */
  async progressed(id: number, progress: ProgressReport): Promise<void> {
    await this.#set(id, { progress: JSON.stringify(progress), failure: null })
  }

  async failed(id: number, failure: string): Promise<void> {
    await this.#set(id, { failure })
  }

  /** From here on nobody can tell who it was, from the database's files neither. */
  async finish(id: number, report: ErasureReport): Promise<void> {
    await this.#set(id, { work: null, progress: null, failure: null, report: JSON.stringify(report) })
    await removeRemains(this.#database)
    await this.#set(id, { finished_at: this.#now() })
  }

  /** Of shoppers who had a history. */
  async erased(): Promise<ErasedHistory[]> {
    const rows = await this.#database
      .selectFrom('erasures')
      .selectAll()
      .where('first_event_at', 'is not', null)
      .execute()
    return rows.map(historyOf)
  }

  /** Null where there was none. */
  async historyOf(id: number): Promise<ErasedHistory | null> {
    const row = await this.#row(id)
    return row.first_event_at === null ? null : historyOf(row)
  }

  async #row(id: number): Promise<Selectable<ErasureTable>> {
    const row = await this.#database
      .selectFrom('erasures')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (row !== undefined) return row
    throw new ArusError('NOT_FOUND', `There is no request ${id} to forget a shopper`)
  }

  async #set(
    id: number,
    values: Partial<Pick<ErasureTable, 'work' | 'progress' | 'failure' | 'report' | 'finished_at'>>,
  ): Promise<void> {
    await this.#database.updateTable('erasures').set(values).where('id', '=', id).execute()
  }
}

async function pendingIn(database: ArusDatabase): Promise<Erasure[]> {
  const rows = await database
    .selectFrom('erasures')
    .selectAll()
    .where('finished_at', 'is', null)
    .orderBy('id')
    .execute()
  return rows.map(erasureOf)
}

/** SHA-256 of a name, hexadecimal. */
export function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex')
}

/** True for a model whose training data may have held the history. */
export function mayHold(history: Pick<ErasedHistory, 'fromMs' | 'untilMs'>, trainedAtMs: number): boolean {
  return trainedAtMs >= history.fromMs && trainedAtMs <= history.untilMs
}

/** True for a model whose training data may have held one of the histories. */
export function isOutdated(erased: readonly ErasedHistory[], trainedAtMs: number): boolean {
  return erased.some((history) => mayHold(history, trainedAtMs))
}

function historyOf({ hashes, first_event_at, finished_at }: Selectable<ErasureTable>): ErasedHistory {
  return {
    hashes: JSON.parse(hashes) as string[],
    fromMs: Number(first_event_at),
    untilMs: finished_at === null ? Number.POSITIVE_INFINITY : Number(finished_at),
  }
}

function erasureOf(row: Selectable<ErasureTable>): Erasure {
  const parsed = <T>(text: string | null) => (text === null ? null : (JSON.parse(text) as T))
  return {
    id: row.id,
    requestedAt: Number(row.requested_at),
    finishedAt: row.finished_at === null ? null : Number(row.finished_at),
    work: parsed<ErasureWork>(row.work),
    progress: parsed<ProgressReport>(row.progress),
    failure: row.failure,
    report: parsed<ErasureReport>(row.report),
  }
}
