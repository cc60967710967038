import type { Product } from '../catalogue/catalogue.ts'
import type { Rule, RuleTarget } from './rule.ts'

/** A rule that is about some products. */
export type TargetedRule = Rule & RuleTarget

interface Target {
  readonly rule: TargetedRule
  /** Lower-cased ids and names; null where any will do. */
  readonly categories: ReadonlySet<string> | null
  readonly minPrice: number
  readonly maxPrice: number
  readonly asksForPrice: boolean
}

const NONE: readonly TargetedRule[] = []

/** Finds the rules that are about a product without looking at each: by its id, then by its category. */
export class TargetIndex {
  readonly #byProduct = new Map<string, Target[]>()
  readonly #byCategory = new Map<string, Target[]>()
  readonly #byPriceAlone: Target[] = []
  readonly isEmpty: boolean

  constructor(rules: readonly TargetedRule[]) {
    this.isEmpty = rules.length === 0
    for (const rule of rules) {
      const target = targetOf(rule)
      if (rule.products !== undefined) addTo(this.#byProduct, rule.products, target)
      else if (target.categories !== null) addTo(this.#byCategory, target.categories, target)
      else this.#byPriceAlone.push(target)
    }
  }

  /** Rules about a product, in no order. Of one whose facts are not known, only those that go by its id alone. */
  about(productId: string, product: Product | undefined): readonly TargetedRule[] {
    if (this.isEmpty) return NONE
    let found: TargetedRule[] | null = null
    for (const targets of this.#near(productId, product)) {
      for (const target of targets) {
        if (!holdsFor(target, product)) continue
        found ??= []
        if (!found.includes(target.rule)) found.push(target.rule)
      }
    }
    return found ?? NONE
  }

  /** True where a product of which no facts are known could be one that a rule is about. */
  mayBeAbout(productId: string): boolean {
    if (this.#byPriceAlone.length > 0 || this.#byCategory.size > 0) return true
    return this.#byProduct.has(productId)
  }

  *#near(productId: string, product: Product | undefined): Iterable<readonly Target[]> {
    const byId = this.#byProduct.get(productId)
    if (byId !== undefined) yield byId
    if (product === undefined) return
    if (this.#byCategory.size > 0) {
      for (const key of categoryKeys(product)) {
        const targets = this.#byCategory.get(key)
        if (targets !== undefined) yield targets
      }
    }
    if (this.#byPriceAlone.length > 0) yield this.#byPriceAlone
  }
}

/** How a rule may name the category of a product. */
export function categoryKeys({ category_id, category }: Pick<Product, 'category_id' | 'category'>): string[] {
  return [
    ...(category_id === null ? [] : [String(category_id)]),
    ...(category === null ? [] : [category.toLowerCase()]),
  ]
}

function targetOf(rule: TargetedRule): Target {
  const { categories, min_price, max_price } = rule
  return {
    rule,
    categories: categories === undefined ? null : new Set(categories.map((name) => name.toLowerCase())),
    minPrice: min_price ?? 0,
    maxPrice: max_price ?? Number.POSITIVE_INFINITY,
    asksForPrice: min_price !== undefined || max_price !== undefined,
  }
}

function addTo(index: Map<string, Target[]>, keys: Iterable<string>, target: Target): void {
  for (const key of keys) {
    const known = index.get(key)
    if (known === undefined) index.set(key, [target])
    else known.push(target)
  }
}

function holdsFor(
  { categories, asksForPrice, minPrice, maxPrice }: Target,
  product: Product | undefined,
): boolean {
  if (product === undefined) return categories === null && !asksForPrice
  if (categories !== null && !categoryKeys(product).some((key) => categories.has(key))) return false
  if (!asksForPrice) return true
  return product.price !== null && product.price >= minPrice && product.price <= maxPrice
}
