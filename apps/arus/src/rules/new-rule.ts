import { Errors } from 'typebox/value'
import { NEW_RULE_SCHEMAS, type NewRuleBody } from '../api-schema/rules.ts'
import { ArusError } from '../errors.ts'
import { momentOf } from '../moment.ts'
import type { NewRule, RuleEffect, RuleTarget } from './rule.ts'

const WINDOW_DEFAULT = 50
const POOL_DEFAULT = 20
/** Places told of a wrong rule at most. */
const PLACES_MAX = 10

/** Where a rule is wrong: a JSON Pointer into it, and how. */
export interface RuleFault {
  readonly pointer: string
  readonly reason: string
}

/** Where a value is not a rule, ten places at most; empty when it is one. */
export function faultsOfRule(value: unknown): readonly RuleFault[] {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
  if (typeof kind !== 'string' || !Object.hasOwn(NEW_RULE_SCHEMAS, kind)) {
    return [{ pointer: '/kind', reason: `must be one of ${Object.keys(NEW_RULE_SCHEMAS).join(', ')}` }]
  }
  const schema = NEW_RULE_SCHEMAS[kind as keyof typeof NEW_RULE_SCHEMAS]
  const faults = Errors(schema, value)
    .filter(({ keyword }) => keyword !== 'boolean')
    .slice(0, PLACES_MAX)
    .map(({ instancePath, message }) => ({ pointer: instancePath, reason: message }))
  return faults.length > 0 ? faults : faultsBetweenFields(value as NewRuleBody)
}

/** The rule that a body says, with what was not said filled in. Throws `REQUEST_INVALID` naming what is wrong. */
export function newRule(value: unknown): NewRule {
  const faults = faultsOfRule(value)
  if (faults.length > 0) {
    const list = faults.map(({ pointer, reason }) => `${pointer.slice(1) || 'the rule'} ${reason}`)
    throw new ArusError('REQUEST_INVALID', `The rule is not valid: ${list.join('; ')}.`, {
      details: { errors: faults },
    })
  }
  const body = value as NewRuleBody
  return {
    name: body.name.trim(),
    enabled: body.enabled ?? true,
    scenarios: [...new Set(body.scenarios ?? [])],
    starts_at: msOf(body.starts_at),
    ends_at: msOf(body.ends_at),
    ...effectOf(body),
  }
}

function effectOf(body: NewRuleBody): RuleEffect {
  switch (body.kind) {
    case 'boost':
    case 'bury':
      return { kind: body.kind, factor: body.factor, ...targetOf(body) }
    case 'exclude':
      return { kind: 'exclude', ...targetOf(body) }
    case 'pin':
      return { kind: 'pin', product_id: body.product_id, rank: body.rank }
    case 'diversify':
      return { kind: 'diversify', lambda: body.lambda, window: body.window ?? WINDOW_DEFAULT }
    case 'cap':
      return { kind: 'cap', per_category: body.per_category, ...categoriesOf(body) }
    case 'explore':
      return { kind: 'explore', probability: body.probability, pool: body.pool ?? POOL_DEFAULT }
  }
}

function categoriesOf({ categories }: RuleTarget): Pick<RuleTarget, 'categories'> {
  return targetOf(categories === undefined ? {} : { categories })
}

/** An empty list says nothing, so it is left out. */
function targetOf({ products = [], categories = [], min_price, max_price }: RuleTarget): RuleTarget {
  return {
    ...(products.length === 0 ? {} : { products: [...new Set(products)] }),
    ...(categories.length === 0 ? {} : { categories: [...new Set(categories)] }),
    ...(min_price === undefined ? {} : { min_price }),
    ...(max_price === undefined ? {} : { max_price }),
  }
}

/** What no schema can say. */
function faultsBetweenFields(body: NewRuleBody): readonly RuleFault[] {
  const faults: RuleFault[] = []
  for (const name of ['starts_at', 'ends_at'] as const) {
    const moment = body[name]
    if (moment != null && msOf(moment) === null) {
      faults.push({ pointer: `/${name}`, reason: 'must be UTC ms or ISO 8601, such as 2026-12-24T00:00:00Z' })
    }
  }
  const [starts_at, ends_at] = [msOf(body.starts_at), msOf(body.ends_at)]
  if (starts_at !== null && ends_at !== null && starts_at >= ends_at) {
    faults.push({ pointer: '/starts_at', reason: 'must be before ends_at' })
  }
  if (body.kind === 'boost' || body.kind === 'bury' || body.kind === 'exclude') {
    const target = targetOf(body)
    if (Object.keys(target).length === 0) {
      const reason = 'must say which products: products, categories, min_price or max_price'
      faults.push({ pointer: '', reason })
    }
    if ((target.min_price ?? 0) > (target.max_price ?? Number.POSITIVE_INFINITY)) {
      faults.push({ pointer: '/min_price', reason: 'must not be above max_price' })
    }
  }
  return faults
}

function msOf(moment: number | string | null | undefined): number | null {
  return moment == null ? null : momentOf(String(moment))
}
