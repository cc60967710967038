import { randomFillSync } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { ArusDatabase, ExperimentTable } from '../database/database.ts'
import { ArusError } from '../errors.ts'
import type { Experiment, ExperimentPlan, ExperimentStatus, Verdict } from './experiment.ts'

/** Experiments kept at most: all of them are listed. */
const EXPERIMENTS_MAX = 1_000
const ID_BYTES = 6

export interface ExperimentStoreOptions {
  readonly database: ArusDatabase
  readonly now?: () => number
  readonly fillRandom?: (bytes: Buffer) => Buffer
}

/** Why, and with which verdict, an experiment ends. */
export type Ending = Pick<Experiment, 'stop_reason' | 'verdict'>

/** Experiments in the shop's database. */
export class ExperimentStore {
  readonly #database: ArusDatabase
  readonly #now: () => number
  readonly #fillRandom: (bytes: Buffer) => Buffer

  constructor({ database, now = Date.now, fillRandom = randomFillSync }: ExperimentStoreOptions) {
    this.#database = database
    this.#now = now
    this.#fillRandom = fillRandom
  }

  /** A draft, under a new id: assignment goes by it, so no two experiments may share one. Throws `EXPERIMENT_CONFLICT` when there are too many. */
  async create({ name, ...plan }: ExperimentPlan): Promise<Experiment> {
    const row = await this.#database.transaction().execute(async (transaction) => {
      const { count } = await transaction
        .selectFrom('experiments')
        .select((select) => select.fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
      if (Number(count) >= EXPERIMENTS_MAX) {
        throw new ArusError(
          'EXPERIMENT_CONFLICT',
          `There are ${EXPERIMENTS_MAX} experiments already; delete one first`,
        )
      }
      return transaction
        .insertInto('experiments')
        .values({
          id: `exp_${this.#fillRandom(Buffer.alloc(ID_BYTES)).toString('hex')}`,
          name,
          status: 'draft' satisfies ExperimentStatus,
          plan: JSON.stringify(plan),
          created_at: this.#now(),
          started_at: null,
          stopped_at: null,
          stop_reason: null,
          verdict: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    return experimentOf(row)
  }

  /** Newest first. */
  async list(): Promise<Experiment[]> {
    const rows = await this.#database
      .selectFrom('experiments')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map(experimentOf)
  }

  /** The oldest first. */
  async running(): Promise<Experiment[]> {
    const rows = await this.#database
      .selectFrom('experiments')
      .selectAll()
      .where('status', '=', 'running' satisfies ExperimentStatus)
      .orderBy('started_at')
      .orderBy('id')
      .execute()
    return rows.map(experimentOf)
  }

  /** Throws `EXPERIMENT_UNKNOWN`. */
  async get(id: string): Promise<Experiment> {
    const row = await this.#database
      .selectFrom('experiments')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (row !== undefined) return experimentOf(row)
    throw new ArusError(
      'EXPERIMENT_UNKNOWN',
      `There is no experiment ${id.slice(0, 40)}; "arus experiments list" lists all`,
    )
  }

  /** Sets a draft running. Throws `EXPERIMENT_CONFLICT` when it is none: what was stopped is not started again, since its shoppers know it. */
  start(id: string): Promise<Experiment> {
    return this.#change(id, 'draft', { status: 'running', started_at: this.#now() })
  }

  /** Ends one that runs. Throws `EXPERIMENT_CONFLICT` when it does not. */
  stop(id: string, { stop_reason, verdict }: Ending): Promise<Experiment> {
    return this.#change(id, 'running', {
      status: 'stopped',
      stopped_at: this.#now(),
      stop_reason,
      verdict: verdict === null ? null : JSON.stringify(verdict),
    })
  }

  /** Throws `EXPERIMENT_CONFLICT` while it runs. */
  async remove(id: string): Promise<void> {
    const { numDeletedRows } = await this.#database
      .deleteFrom('experiments')
      .where('id', '=', id)
      .where('status', '!=', 'running' satisfies ExperimentStatus)
      .executeTakeFirst()
    if (numDeletedRows > 0n) return
    const { status } = await this.get(id)
    throw new ArusError('EXPERIMENT_CONFLICT', `Experiment ${id} is ${status}; stop it before it is deleted`)
  }

  async #change(
    id: string,
    from: ExperimentStatus,
    values: Partial<
      Pick<ExperimentTable, 'status' | 'started_at' | 'stopped_at' | 'stop_reason' | 'verdict'>
    >,
  ): Promise<Experiment> {
    const { numUpdatedRows } = await this.#database
      .updateTable('experiments')
      .set(values)
      .where('id', '=', id)
      .where('status', '=', from)
      .executeTakeFirst()
    const experiment = await this.get(id)
    if (numUpdatedRows > 0n) return experiment
    throw new ArusError('EXPERIMENT_CONFLICT', `Experiment ${id} is ${experiment.status}, not ${from}`)
  }
}

function experimentOf(row: Selectable<ExperimentTable>): Experiment {
  return {
    id: row.id,
    name: row.name,
    ...(JSON.parse(row.plan) as Omit<ExperimentPlan, 'name'>),
    status: row.status as ExperimentStatus,
    created_at: Number(row.created_at),
    started_at: row.started_at === null ? null : Number(row.started_at),
    stopped_at: row.stopped_at === null ? null : Number(row.stopped_at),
    stop_reason: row.stop_reason,
    verdict: row.verdict === null ? null : (JSON.parse(row.verdict) as Verdict),
  }
}
