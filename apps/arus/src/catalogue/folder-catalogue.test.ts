import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Catalogue, Category } from './catalogue.ts'
import { buildCatalogue } from './catalogue-builder.ts'
import { currentVersion } from './catalogue-folder.ts'
import { openCatalogue } from './folder-catalogue.ts'
import type { ProductSource } from './stored-product.ts'
import { sourceOf, type TestProduct } from './test-products.ts'

const CATEGORIES: Category[] = [
  { category_id: 3, name: 'Kitchen Knives', product_count: 3 },
  { category_id: 9, name: 'Headphones', product_count: 4 },
]

/** Best known first, as a build wants them. */
const SHOP: [id: string, title: string, category: number | null, price: number | null][] = [
  ['H1', 'Acme Wireless Headphones, Black', 1, 50],
  ['H2', 'Acme Wired Headphones with Wireless Adapter, Red', 1, 30],
  ['K1', 'Sharp Chef Knife, Black Handle', 0, 20],
  ['H3', 'Zen Wireless Headphone Stand', 1, 15],
  ['K2', 'Chef Knife Set of 5', 0, 55],
  ['X1', 'Crème brûlée torch', null, null],
  ['K3', 'Bread Knife with blackened blade', 0, 21],
  ['H4', 'स्मार्टवॉच Headphones', 1, 49],
]

let folder = ''
let opened: Catalogue[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-catalogue-'))
  opened = []
})
afterEach(async () => {
  for (const catalogue of opened) await catalogue.close()
  rmSync(folder, { recursive: true, force: true })
})

async function open(): Promise<Catalogue> {
  const catalogue = await openCatalogue({ folder })
  opened.push(catalogue)
  return catalogue
}

function product([id, title, category, price]: (typeof SHOP)[number], popularity: number): TestProduct {
  return {
    product_id: id,
    title,
    image_url: null,
    product_url: `https://shop.example/${id}`,
    stars: 4.5,
    reviews: 10,
    price,
    list_price: price === null ? null : price * 2,
    category_id: category === null ? null : CATEGORIES[category]!.category_id,
    is_best_seller: false,
    bought_in_last_month: 50,
    popularity,
  }
}

function shop(rows: typeof SHOP): ProductSource {
  return sourceOf(
    rows.map((row, rank) => product(row, 100 - rank)),
    3,
  )
}

/** Breaks off after the first batch. */
function brokenShop(): ProductSource {
  const { writeTexts, numbers } = shop(SHOP)
  return {
    writeTexts,
    async *numbers() {
      for await (const batch of numbers()) {
        yield batch
        throw new RangeError('the source broke')
      }
    },
  }
}

function build(products: ProductSource, nowMs = 1): Promise<string> {
  return buildCatalogue({ folder, categories: CATEGORIES, products, nowMs })
}

function ids(catalogue: Catalogue, query: string, options = {}): string[] {
  return catalogue.search(query, { limit: 10, ...options }).products.map((hit) => hit.product.product_id)
}

test('without an import, opening says what to do', async () => {
  await expect(openCatalogue({ folder })).rejects.toMatchObject({ code: 'CATALOGUE_EMPTY' })
})

describe('a small shop', () => {
  let catalogue: Catalogue
  beforeEach(async () => {
    await build(shop(SHOP))
    catalogue = await open()
  })

  test('gives back each product by id, and nothing for others', () => {
    expect(catalogue.productCount).toBe(SHOP.length)
    expect(catalogue.get('H1')).toEqual({
      product_id: 'H1',
      title: 'Acme Wireless Headphones, Black',
      image_url: null,
      product_url: 'https://shop.example/H1',
      stars: 4.5,
      reviews: 10,
      price: 50,
      list_price: 100,
      discount: 0.5,
      category_id: 9,
      category: 'Headphones',
      is_best_seller: false,
      bought_in_last_month: 50,
    })
    expect(catalogue.getMany(['K2', 'nope', 'X1']).map((found) => found?.title)).toEqual([
      'Chef Knife Set of 5',
      undefined,
      'Crème brûlée torch',
    ])
  })

  test('search asks for every word, whatever case, accent or plural', () => {
    expect(ids(catalogue, 'wireless headphone').sort()).toEqual(['H1', 'H2', 'H3'])
    expect(ids(catalogue, 'CREME brulee')).toEqual(['X1'])
    expect(ids(catalogue, 'स्मार्टवॉच')).toEqual(['H4'])
    expect(ids(catalogue, 'chef knives').sort()).toEqual(['K1', 'K2'])
  })

  test('the last word may be a beginning, and the whole word comes first', () => {
    expect(ids(catalogue, 'brea')).toEqual(['K3'])
    const found = ids(catalogue, 'black')
    expect(found.at(-1)).toBe('K3')
    expect(found.slice(0, 2).sort()).toEqual(['H1', 'K1'])
    expect(ids(catalogue, 'black ')).not.toContain('K3')
  })

  test('words like "for" and "the" are not asked of a title, unless nothing else is typed', () => {
    expect(ids(catalogue, 'a knife for the chef').sort()).toEqual(['K1', 'K2'])
    expect(ids(catalogue, 'of ')).toEqual(['K2'])
  })

  test('the name of the category counts', () => {
    expect(ids(catalogue, 'kitchen').sort()).toEqual(['K1', 'K2', 'K3'])
  })

  test('a word nobody has does not empty the answer', () => {
    expect(ids(catalogue, 'flibbertigibbet chef knife').sort()).toEqual(['K1', 'K2'])
    expect(catalogue.search('flibbertigibbet', { limit: 5 })).toEqual({
      total: 0,
      total_is_exact: true,
      products: [],
    })
  })

  test('when no product has all words, those lacking one come', () => {
    expect(ids(catalogue, 'red chef knife').sort()).toEqual(['K1', 'K2'])
  })

  test('filters by category and price, and pages without overlap', () => {
    expect(ids(catalogue, 'black', { category_id: 3 }).sort()).toEqual(['K1', 'K3'])
    expect(ids(catalogue, '', { min_price: 20, max_price: 30 })).toEqual(['H2', 'K1', 'K3'])
    expect(ids(catalogue, 'headphones', { category_id: 999 })).toEqual([])
    const pages = [0, 3, 6].flatMap((offset) => ids(catalogue, '', { limit: 3, offset }))
    expect(pages).toEqual(SHOP.map(([id]) => id))
  })

  test('counts what matches', () => {
    expect(catalogue.search('headphones', { limit: 1 })).toMatchObject({ total: 4, total_is_exact: true })
    expect(catalogue.search('', { limit: 1, category_id: 3 })).toMatchObject({
      total: 3,
      total_is_exact: true,
    })
  })

  test('popular lists the build order, of all or of a category', () => {
    expect(catalogue.popular(3)).toEqual([
      { product_id: 'H1', score: 100 },
      { product_id: 'H2', score: 99 },
      { product_id: 'K1', score: 98 },
    ])
    expect(catalogue.popular(10, 3).map(({ product_id }) => product_id)).toEqual(['K1', 'K2', 'K3'])
    expect(catalogue.popular(10, 12345)).toEqual([])
  })

  test('similar finds title, category and price relatives, never the product itself', () => {
    const found = catalogue.similar('K1', 3).map(({ product_id }) => product_id)
    expect(found[0]).toBe('K2')
    expect(found[1]).toBe('K3')
    expect(found).not.toContain('K1')
    expect(catalogue.similar('H1', 1)[0]?.product_id).toBe('H2')
    expect(catalogue.similar('nope', 3)).toEqual([])
    expect(catalogue.similar('K1', 3)).toEqual(catalogue.similar('K1', 3))
  })
})

test('a build that breaks off leaves the old catalogue serving and no rubbish', async () => {
  const version = await build(shop(SHOP))
  await expect(build(brokenShop(), 2)).rejects.toThrow('the source broke')
  expect(currentVersion(folder)).toBe(version)
  expect(readdirSync(folder).sort()).toEqual(['CURRENT', version])
  expect((await open()).productCount).toBe(SHOP.length)
})

test('a new import is seen by whoever opens next; who had the old one open keeps it', async () => {
  await build(shop(SHOP), 1)
  const old = await open()
  const second = await build(shop(SHOP.slice(0, 2)), 2)
  const third = await build(shop(SHOP.slice(0, 1)), 3)
  const fresh = await open()
  expect(fresh.version).toBe(third)
  expect(fresh.productCount).toBe(1)
  expect(old.get('K3')?.title).toBe('Bread Knife with blackened blade')
  expect(ids(old, 'chef').sort()).toEqual(['K1', 'K2'])
  expect(existsSync(join(folder, old.version))).toBe(false)
  expect(existsSync(join(folder, second))).toBe(true)
})

test('what a killed build left behind is removed by the next one, what a living one is at is not', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  for (const name of [`work-${dead}-killed`, `work-${process.pid}-living`]) mkdirSync(join(folder, name))
  const version = await build(shop(SHOP), 2)
  expect(readdirSync(folder).sort()).toEqual(['CURRENT', version, `work-${process.pid}-living`])
})

test('two builds at once both finish; the later one is current', async () => {
  const versions = await Promise.all([build(shop(SHOP), 7), build(shop(SHOP.slice(0, 2)), 7)])
  expect(new Set(versions).size).toBe(2)
  expect(versions).toContain(currentVersion(folder))
  expect((await open()).get('H1')?.title).toBe('Acme Wireless Headphones, Black')
})

test('texts and numbers of different products are refused, not mixed', async () => {
  const numbers = () => shop(SHOP.slice(1)).numbers()
  await expect(build({ ...shop(SHOP), numbers })).rejects.toMatchObject({ code: 'INTERNAL' })
  const fewer = () => shop(SHOP.slice(0, -1)).numbers()
  await expect(build({ ...shop(SHOP), numbers: fewer })).rejects.toMatchObject({ code: 'INTERNAL' })
})

test.each(['Mug\n', '\x1cMug', 'a\x1cb\x1cc\n d', '\n\x1c\x1c\x1c\nMug'])(
  'a title that holds what ends a text is kept: %j',
  async (title) => {
    await build(shop([...SHOP.slice(0, 2), ['M1', title, 0, 9], ...SHOP.slice(2)]))
    const catalogue = await open()
    expect(catalogue.get('M1')).toMatchObject({ title, product_url: 'https://shop.example/M1' })
    for (const [id, known] of SHOP) expect(catalogue.get(id)?.title).toBe(known)
  },
)

test('a closed catalogue reads no file that was given its number since', async () => {
  await build(shop(SHOP))
  const catalogue = await openCatalogue({ folder })
  await catalogue.close()
  await catalogue.close()
  expect(() => catalogue.get('H1')).toThrow('is closed')
})

test('an id that comes twice is refused', async () => {
  await expect(build(shop([...SHOP, SHOP[0]!]))).rejects.toThrow('H1 came twice')
})

test('an aborted build says so and publishes nothing', async () => {
  const building = buildCatalogue({
    folder,
    categories: CATEGORIES,
    products: shop(SHOP),
    nowMs: 1,
    signal: AbortSignal.abort(),
  })
  await expect(building).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(currentVersion(folder)).toBeNull()
})
