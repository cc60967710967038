import type { CompiledRules } from './compiled-rules.ts'
import type { NewRule, Rule } from './rule.ts'
import type { RuleStore, RulesAtRevision } from './rule-store.ts'
import { RulesByScenario } from './rules-by-scenario.ts'

/** How soon a change by another process is seen. */
const REFRESH_MS = 1_000

export interface RuleBookOptions {
  readonly store: RuleStore
  /** The database could not be asked; the rules known so far stay in force. */
  readonly onFault: (error: unknown) => void
}

/** Rules as the API needs them. */
export interface Rules {
  /** All that are kept, in the order in which they were made. */
  list(): Promise<readonly Rule[]>
  /** Throws `RULE_UNKNOWN`. */
  get(id: string): Promise<Rule>
  add(rule: NewRule): Promise<Rule>
  /** Throws `RULE_UNKNOWN`. */
  replace(id: string, rule: NewRule): Promise<Rule>
  /** Throws `RULE_UNKNOWN`. */
  remove(id: string): Promise<Rule>
}

/** The rules in memory: a request asks no database, and none of it costs anything while there are no rules. */
export class RuleBook implements Rules {
  readonly #options: RuleBookOptions
  #current: RulesByScenario = new RulesByScenario([])
  #timer: NodeJS.Timeout | null = null

  private constructor(options: RuleBookOptions) {
    this.#options = options
  }

  /** Reads the rules, and goes on following them until closed. */
  static async open(options: RuleBookOptions): Promise<RuleBook> {
    const book = new RuleBook(options)
    book.#take(await options.store.current())
    book.#schedule()
    return book
  }

  /** Rules in force in a scenario at a moment (UTC ms); null when there are none. */
  inForce(scenario: string, atMs: number): CompiledRules | null {
    return this.#current.at(scenario, atMs)
  }

  async list(): Promise<readonly Rule[]> {
    return (await this.#options.store.current()).rules
  }

  get(id: string): Promise<Rule> {
    return this.#options.store.get(id)
  }

  add(rule: NewRule): Promise<Rule> {
    return this.#changed(this.#options.store.add(rule))
  }

  replace(id: string, rule: NewRule): Promise<Rule> {
    return this.#changed(this.#options.store.replace(id, rule))
  }

  remove(id: string): Promise<Rule> {
    return this.#changed(this.#options.store.remove(id))
  }

  /** Takes over what the database holds now. */
  async refresh(): Promise<void> {
    const { store } = this.#options
    if ((await store.revision()) !== this.#current.revision) this.#take(await store.current())
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  async #changed(change: Promise<Rule>): Promise<Rule> {
    const rule = await change
    await this.refresh()
    return rule
  }

  /** A look that took long must not undo what a later one saw. */
  #take({ revision, rules }: RulesAtRevision): void {
    if (revision >= this.#current.revision) this.#current = new RulesByScenario(rules, revision)
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#tick(), REFRESH_MS)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    const timer = this.#timer
    await this.refresh().catch((error: unknown) => this.#options.onFault(error))
    if (this.#timer === timer) this.#schedule()
  }
}
