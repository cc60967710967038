import { CompiledRules } from './compiled-rules.ts'
import { nextChange, rulesInForce } from './in-force.ts'
import type { Rule } from './rule.ts'

interface Entry {
  readonly compiled: CompiledRules | null
  /** Holds from one moment until just before the other, UTC ms. */
  readonly fromMs: number
  readonly untilMs: number
}

/** All scenarios that no rule names share what is in force. */
const ANY_OTHER = ''

/** A list of rules, compiled once for each scenario that they name and each stretch between their beginnings and ends. */
export class RulesByScenario {
  readonly #rules: readonly Rule[]
  readonly #revision: number
  readonly #named: ReadonlySet<string>
  readonly #entries = new Map<string, Entry>()

  constructor(rules: readonly Rule[], revision = 0) {
    this.#rules = rules
    this.#revision = revision
    this.#named = new Set(['trending', ...rules.flatMap(({ scenarios }) => scenarios)])
  }

  get revision(): number {
    return this.#revision
  }

  /** Rules in force in a scenario at a moment (UTC ms); null when there are none. */
  at(scenario: string, atMs: number): CompiledRules | null {
    if (this.#rules.length === 0) return null
    const key = this.#named.has(scenario) ? scenario : ANY_OTHER
    const known = this.#entries.get(key)
    if (known !== undefined && atMs >= known.fromMs && atMs < known.untilMs) return known.compiled
    const inForce = rulesInForce(this.#rules, key, atMs)
    const compiled = inForce.length === 0 ? null : new CompiledRules(inForce, this.#revision)
    this.#entries.set(key, { compiled, fromMs: atMs, untilMs: nextChange(this.#rules, atMs) })
    return compiled
  }
}
