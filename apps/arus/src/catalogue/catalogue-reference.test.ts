import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Category } from './catalogue.ts'
import { buildCatalogue } from './catalogue-builder.ts'
import { openCatalogue } from './folder-catalogue.ts'
import type { StoredProduct } from './stored-product.ts'
import { sourceOf, type TestProduct } from './test-products.ts'
import { tokens } from './tokenizer.ts'

const CATEGORIES: Category[] = [
  { category_id: 0, name: 'Red Mugs', product_count: 0 },
  { category_id: 12, name: 'Cups & Café', product_count: 0 },
]
const WORDS = ['red', 'Mug', 'cups', 'CAFÉ', 'big;old', '12', 'a\nb', 'tasse', "king's", 'boxes'] as const

const word = fc.constantFrom(...WORDS)
const product = fc.record({
  // Heads that are the same for eight bytes, and ids that are the beginning of others.
  product_id: fc.string({ unit: fc.constantFrom('B', '0', 'é'), minLength: 1, maxLength: 12 }),
  title: fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(' ')),
  image_url: fc.constantFrom(null, 'https://shop.example/1;2,3.jpg'),
  product_url: fc.constantFrom(null, 'https://shop.example/p'),
  stars: fc.constantFrom(null, 0, 4.3, 4.5),
  reviews: fc.nat(),
  price: fc.constantFrom(null, 1e-5, 9.99, 0.1 + 0.2, 1234567.5),
  list_price: fc.constantFrom(null, 20),
  category_id: fc.constantFrom(null, 0, 12),
  is_best_seller: fc.boolean(),
  bought_in_last_month: fc.nat(),
  popularity: fc.constantFrom(0, 0.5, 7.25, 7.125),
})
const shop = fc.uniqueArray(product, {
  minLength: 1,
  maxLength: 60,
  selector: ({ product_id }) => product_id,
})

/** The order of documents, written out. */
function inOrder(products: readonly TestProduct[]): TestProduct[] {
  return products.toSorted(
    (a, b) =>
      b.popularity - a.popularity ||
      Number(b.is_best_seller) - Number(a.is_best_seller) ||
      (b.stars ?? -1) - (a.stars ?? -1) ||
      Buffer.compare(Buffer.from(a.product_id), Buffer.from(b.product_id)),
  )
}

function termsOf({ title, category_id }: StoredProduct): string[] {
  const name = CATEGORIES.find((category) => category.category_id === category_id)?.name ?? ''
  return tokens(`${title} ${name}`)
}

/** Content similarity as its documentation says, over every product. */
function similarTo(
  products: readonly TestProduct[],
  to: TestProduct,
): { product_id: string; score: number }[] {
  const holders = (term: string) => products.filter((other) => termsOf(other).includes(term)).length
  const idf = (term: string) => Math.log(1 + (products.length - holders(term) + 0.5) / (holders(term) + 0.5))
  const terms = [...new Set(termsOf(to))]
    .filter((term) => holders(term) > 1)
    .sort((a, b) => holders(a) - holders(b))
    .slice(0, 8)
  const idfSum = terms.reduce((sum, term) => sum + idf(term), 0)
  return inOrder(products).flatMap((other) => {
    const shared = terms.filter((term) => termsOf(other).includes(term))
    const isSameCategory = to.category_id !== null && other.category_id === to.category_id
    if (other === to || (shared.length === 0 && !isSameCategory)) return []
    const share = idfSum === 0 ? 0 : shared.reduce((sum, term) => sum + idf(term), 0) / idfSum
    const prices = [to.price ?? 0, other.price ?? 0]
    const closeness = Math.min(...prices) > 0 ? Math.min(...prices) / Math.max(...prices) : 0
    return [
      {
        product_id: other.product_id,
        score: 0.65 * share + (isSameCategory ? 0.25 : 0) + 0.1 * closeness,
      },
    ]
  })
}

test('products in any order and batches of any size answer as a plain search over the products does', async () => {
  const property = fc.asyncProperty(
    shop,
    fc.integer({ min: 1, max: 70 }),
    fc.array(word, { minLength: 1, maxLength: 2 }),
    async (products, batchRows, query) => {
      const folder = mkdtempSync(join(tmpdir(), 'arus-reference-'))
      await buildCatalogue({
        folder,
        categories: CATEGORIES,
        products: sourceOf(products, batchRows),
        nowMs: 1,
      })
      const catalogue = await openCatalogue({ folder })
      try {
        expect(catalogue.popular(100)).toEqual(
          inOrder(products).map(({ product_id, popularity }) => ({ product_id, score: popularity })),
        )
        for (const { popularity: _, ...expected } of products) {
          expect(catalogue.get(expected.product_id)).toMatchObject(expected)
        }
        const asked = [...new Set(tokens(query.join(' ')))]
        const holding = products.filter((drawn) => asked.every((term) => termsOf(drawn).includes(term)))
        if (holding.length > 0) {
          const found = catalogue.search(`${query.join(' ')} `, { limit: 100 }).products
          expect(found.map((hit) => hit.product.product_id).sort()).toEqual(
            holding.map(({ product_id }) => product_id).sort(),
          )
        }
        const one = products[0]!
        const similar = new Map(similarTo(products, one).map(({ product_id, score }) => [product_id, score]))
        const found = catalogue.similar(one.product_id, 100)
        expect(found.map(({ product_id }) => product_id).sort()).toEqual([...similar.keys()].sort())
        for (const { product_id, score } of found) expect(score).toBeCloseTo(similar.get(product_id)!, 5)
      } finally {
        await catalogue.close()
        rmSync(folder, { recursive: true })
      }
    },
  )
  await fc.assert(property, { numRuns: 60 })
})
