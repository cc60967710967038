import { randomFillSync } from 'node:crypto'
import type { Transaction } from 'kysely'
import { type ArusDatabase, type DatabaseSchema, SNAPSHOT } from '../database/database.ts'
import { ArusError } from '../errors.ts'
import { type NewRule, RULES_MAX, type Rule } from './rule.ts'

/** Rules of before a change that are kept; answers that rested on older ones cannot be computed again. */
const PAST_MAX = 10_000
const ID_BYTES = 5

export interface RuleStoreOptions {
  readonly database: ArusDatabase
  readonly now?: () => number
  readonly fillRandom?: (bytes: Buffer) => Buffer
  /** Default 10,000. */
  readonly pastMax?: number
}

/** All rules as they were at one revision: each change makes the next. */
export interface RulesAtRevision {
  readonly revision: number
  /** In the order in which they were made. */
  readonly rules: readonly Rule[]
}

/** Rules in the shop's database, and what they were before. */
export class RuleStore {
  readonly #database: ArusDatabase
  readonly #now: () => number
  readonly #fillRandom: (bytes: Buffer) => Buffer
  readonly #pastMax: number

  constructor({
    database,
    now = Date.now,
    fillRandom = randomFillSync,
    pastMax = PAST_MAX,
  }: RuleStoreOptions) {
    this.#database = database
    this.#now = now
    this.#fillRandom = fillRandom
    this.#pastMax = pastMax
  }

  /** The newest revision: cheap, for those who follow. */
  async revision(): Promise<number> {
    const row = await this.#database.selectFrom('rule_book').select('revision').executeTakeFirstOrThrow()
    return Number(row.revision)
  }

  async current(): Promise<RulesAtRevision> {
    return this.#read(async (transaction) => {
      const { revision } = await transaction
        .selectFrom('rule_book')
        .select('revision')
        .executeTakeFirstOrThrow()
      const rows = await transaction
        .selectFrom('rules')
        .select('definition')
        .where('until_revision', 'is', null)
        .execute()
      return { revision: Number(revision), rules: rulesOf(rows) }
    })
  }

  /** Rules as they stood then; null when they are no longer known, or never were. */
  async at(revision: number): Promise<readonly Rule[] | null> {
    return this.#read(async (transaction) => {
      const book = await transaction.selectFrom('rule_book').selectAll().executeTakeFirstOrThrow()
      if (revision < Number(book.oldest_revision) || revision > Number(book.revision)) return null
      const rows = await transaction
        .selectFrom('rules')
        .select('definition')
        .where('from_revision', '<=', revision)
        .where((where) =>
          where.or([where('until_revision', 'is', null), where('until_revision', '>', revision)]),
        )
        .execute()
      return rulesOf(rows)
    })
  }

  /** Throws `RULE_UNKNOWN`. */
  async get(id: string): Promise<Rule> {
    const row = await this.#database
      .selectFrom('rules')
      .select('definition')
      .where('id', '=', id)
      .where('until_revision', 'is', null)
      .executeTakeFirst()
    if (row !== undefined) return JSON.parse(row.definition) as Rule
    throw unknown(id)
  }

  /** Throws `REQUEST_INVALID` when there are as many as may be. */
  async add(rule: NewRule): Promise<Rule> {
    return this.#change(async (transaction, revision) => {
      const rows = await transaction
        .selectFrom('rules')
        .select('definition')
        .where('until_revision', 'is', null)
        .execute()
      if (rows.length >= RULES_MAX) {
        throw new ArusError('REQUEST_INVALID', `There are ${RULES_MAX} rules already; remove one first`)
      }
      // One after the other, also within a millisecond: rules stand in the order in which they were made.
      const newestMs = rulesOf(rows).at(-1)?.created_at ?? Number.NEGATIVE_INFINITY
      const nowMs = Math.max(this.#now(), newestMs + 1)
      const added = { id: this.#newId(), ...rule, created_at: nowMs, updated_at: nowMs }
      await insert(transaction, added, revision)
      return added
    })
  }

  /** Puts another in the place of a rule. Throws `RULE_UNKNOWN`. */
  async replace(id: string, rule: NewRule): Promise<Rule> {
    return this.#change(async (transaction, revision) => {
      const { created_at } = await end(transaction, id, revision)
      const replaced = { id, ...rule, created_at, updated_at: this.#now() }
      await insert(transaction, replaced, revision)
      return replaced
    })
  }

  /** Gives what was removed. Throws `RULE_UNKNOWN`. */
  async remove(id: string): Promise<Rule> {
    return this.#change((transaction, revision) => end(transaction, id, revision))
  }

  #read<T>(work: (transaction: Transaction<DatabaseSchema>) => Promise<T>): Promise<T> {
    const { accessMode, isolationLevel } = SNAPSHOT
    const transaction = this.#database.transaction()
    return transaction.setAccessMode(accessMode).setIsolationLevel(isolationLevel).execute(work)
  }

  async #change<T>(
    work: (transaction: Transaction<DatabaseSchema>, revision: number) => Promise<T>,
  ): Promise<T> {
    return this.#database.transaction().execute(async (transaction) => {
      await transaction
        .updateTable('rule_book')
        .set((book) => ({ revision: book('revision', '+', 1) }))
        .execute()
      const { revision } = await transaction
        .selectFrom('rule_book')
        .select('revision')
        .executeTakeFirstOrThrow()
      const result = await work(transaction, Number(revision))
      await this.#dropOldest(transaction)
      return result
    })
  }

  async #dropOldest(transaction: Transaction<DatabaseSchema>): Promise<void> {
    const oldest = await transaction
      .selectFrom('rules')
      .select('until_revision')
      .where('until_revision', 'is not', null)
      .orderBy('until_revision', 'desc')
      .offset(this.#pastMax)
      .limit(1)
      .executeTakeFirst()
    const until = oldest?.until_revision ?? null
    if (until === null) return
    await transaction.deleteFrom('rules').where('until_revision', '<=', until).execute()
    await transaction.updateTable('rule_book').set({ oldest_revision: until }).execute()
  }

  #newId(): string {
    return `rule_${this.#fillRandom(Buffer.alloc(ID_BYTES)).toString('hex')}`
  }
}

async function insert(
  transaction: Transaction<DatabaseSchema>,
  rule: Rule,
  from_revision: number,
): Promise<void> {
  await transaction
    .insertInto('rules')
    .values({ id: rule.id, from_revision, until_revision: null, definition: JSON.stringify(rule) })
    .execute()
}

/** Ends what stands under an id, and gives it. */
async function end(
  transaction: Transaction<DatabaseSchema>,
  id: string,
  until_revision: number,
): Promise<Rule> {
  const row = await transaction
    .updateTable('rules')
    .set({ until_revision })
    .where('id', '=', id)
    .where('until_revision', 'is', null)
    .returning('definition')
    .executeTakeFirst()
  if (row === undefined) throw unknown(id)
  return JSON.parse(row.definition) as Rule
}

function rulesOf(rows: readonly { readonly definition: string }[]): Rule[] {
  return rows
    .map(({ definition }) => JSON.parse(definition) as Rule)
    .sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
}

function unknown(id: string): ArusError {
  return new ArusError('RULE_UNKNOWN', `There is no rule ${id.slice(0, 40)}; "arus rules list" lists all.`)
}
