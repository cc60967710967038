import type { Product } from '../../catalogue/catalogue.ts'

const WORD = /[\p{L}\p{N}]+/gu

const words = new WeakMap<Product, ReadonlySet<string>>()

/**
 * How alike two products are for a shopper who looks at a list, 0 to 1: half for the same category, half for the words that
 * their titles share (Jaccard 1901: those in both ÷ those in either). 0 where nothing is known of one of them.
 */
export function productSimilarity(a: Product | undefined, b: Product | undefined): number {
  if (a === undefined || b === undefined) return 0
  const isSameCategory = a.category_id !== null && a.category_id === b.category_id
  return (isSameCategory ? 0.5 : 0) + 0.5 * jaccard(wordsOf(a), wordsOf(b))
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [smaller, larger] = a.size <= b.size ? [a, b] : [b, a]
  let both = 0
  for (const word of smaller) if (larger.has(word)) both += 1
  return both === 0 ? 0 : both / (a.size + b.size - both)
}

function wordsOf(product: Product): ReadonlySet<string> {
  const known = words.get(product)
  if (known !== undefined) return known
  const found = new Set(product.title.toLowerCase().match(WORD) ?? [])
  words.set(product, found)
  return found
}
