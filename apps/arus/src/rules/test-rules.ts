/** Rules for tests, with what is not said filled in. */
import { newRule } from './new-rule.ts'
import type { Rule } from './rule.ts'

let made = 0

/** The rule a body says; each is made a moment after the one before. */
export function ruleOf(body: Readonly<Record<string, unknown>>, kept: Partial<Rule> = {}): Rule {
  made += 1
  const name = `A rule to ${String(body.kind)}`
  return {
    id: `rule_${made}`,
    ...newRule({ name, ...body }),
    created_at: made,
    updated_at: made,
    ...kept,
  } as Rule
}
