import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProductPage } from '../../api-schema/index.ts'
import { expectProblem, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  shop.app.inject({ method: 'GET', url, headers })

describe('products', () => {
  test('one product, an unknown one, the categories', async () => {
    expect((await get('/products/p3')).json()).toMatchObject({
      product_id: 'p3',
      price: 4,
      image_url: expect.any(String),
    })
    await expectProblem(await get('/products/nope'), 404, 'PRODUCT_UNKNOWN')
    expect((await get('/categories')).json().categories).toEqual([
      { category_id: 1, name: 'Toys', product_count: 15 },
      { category_id: 2, name: 'Books', product_count: 15 },
    ])
  })

  test('pages through a search by cursor, each product once', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: ProductPage = (
        await get(`/products?q=title&category_id=1&limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`)
      ).json()
      expect(page).toMatchObject({ total: 15, total_is_exact: true })
      seen.push(...page.products.map((product) => product.product_id))
      cursor = page.next_cursor
    }
    expect(seen).toHaveLength(15)
    expect(new Set(seen).size).toBe(15)
  })

  test('refuses a broken cursor and one of another search', async () => {
    const broken = await expectProblem(await get('/products?cursor=%21%21'), 400, 'REQUEST_INVALID')
    expect(broken.errors[0].pointer).toBe('/cursor')
    const { next_cursor } = (await get('/products?q=title&limit=1')).json()
    await expectProblem(await get(`/products?q=other&limit=1&cursor=${next_cursor}`), 400, 'REQUEST_INVALID')
  })

  test('without a catalogue say so with 503', async () => {
    const bare = await openShop({ catalogue: () => null })
    const response = await bare.app.inject('/products/p1')
    await expectProblem(response, 503, 'CATALOGUE_EMPTY')
    expect(response.headers['retry-after']).toBe('1')
    await bare.app.close()
  })
})
