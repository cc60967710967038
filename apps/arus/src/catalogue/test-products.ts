import { writeFile } from 'node:fs/promises'
import {
  NUMBERS,
  type ProductNumbers,
  type ProductSource,
  type StoredProduct,
  TEXT_BYTES,
  TEXT_END,
  TEXTS,
} from './stored-product.ts'

/** A product and how well known it is. */
export type TestProduct = StoredProduct & { readonly popularity: number }

/** Products in memory as a build takes them, `batchRows` at a time. */
export function sourceOf(products: readonly TestProduct[], batchRows = 100): ProductSource {
  return {
    async writeTexts(file) {
      const lines = products.map((product) => `${TEXTS.map((name) => product[name] ?? '').join(TEXT_END)}\n`)
      await writeFile(file, lines.join(''))
    },
    async *numbers({ withTextBytes = false } = {}) {
      for (let at = 0; at < products.length; at += batchRows)
        yield numbersOf(products.slice(at, at + batchRows), withTextBytes)
    },
  }
}

function numbersOf(products: readonly TestProduct[], withTextBytes: boolean): ProductNumbers {
  const names = withTextBytes ? [...NUMBERS, ...TEXT_BYTES] : NUMBERS
  const columns = names.map((name) => {
    const values = products.map((product) => {
      const text = TEXTS.find((one) => name === `${one}_bytes`)
      if (text !== undefined) return Buffer.byteLength(product[text] ?? '')
      const value = product[name as keyof TestProduct]
      return value === null ? Number.NaN : Number(value)
    })
    return [name, Float64Array.from(values)]
  })
  return Object.fromEntries(columns)
}
