import type { Catalogue } from '../catalogue/catalogue.ts'
import type { ExcludeRule, Rule } from './rule.ts'

/** What is excluded by what is in memory: ids and categories. Asked for each candidate of a retriever. */
export interface Exclusion {
  isExcluded(productId: string): boolean
}

/** Null when no rule excludes by id or by category alone. Rules with further conditions are applied when facts are known. */
export function exclusionOf(
  rules: readonly (Rule & ExcludeRule)[],
  catalogue: Catalogue | null,
): Exclusion | null {
  const ids = new Set<string>()
  const wanted = new Set<string>()
  for (const { products, categories, min_price, max_price } of rules) {
    if (min_price !== undefined || max_price !== undefined) continue
    if (products !== undefined && categories !== undefined) continue
    for (const id of products ?? []) ids.add(id)
    for (const category of categories ?? []) wanted.add(category.toLowerCase())
  }
  const names = new Set(catalogue === null || wanted.size === 0 ? [] : namesOf(wanted, catalogue))
  if (catalogue === null || names.size === 0) {
    return ids.size === 0 ? null : { isExcluded: (productId) => ids.has(productId) }
  }
  return {
    isExcluded(productId) {
      if (ids.has(productId)) return true
      const category = catalogue.categoryOf(productId)
      return category !== null && names.has(category)
    },
  }
}

/** Names, as the catalogue spells them, of categories given by id or name. */
function namesOf(wanted: ReadonlySet<string>, catalogue: Catalogue): string[] {
  return catalogue
    .categories()
    .filter(({ category_id, name }) => wanted.has(String(category_id)) || wanted.has(name.toLowerCase()))
    .map(({ name }) => name)
}
