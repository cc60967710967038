import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Product } from '../catalogue/catalogue.ts'

/** Best sellers remembered for the time the catalogue cannot be asked: the last level of fallback. */
export interface RememberedProducts {
  /** Best first; empty when nothing was ever remembered. */
  read(): readonly Product[]
  remember(products: readonly Product[]): void
}

/** Remembers in this process only. */
export function rememberInMemory(): RememberedProducts {
  let products: readonly Product[] = []
  return {
    read: () => products,
    remember: (newer) => {
      products = newer
    },
  }
}

/**
 * Remembers in a JSON file too, so that a start without the catalogue still answers. Failing to write or read
 * it is told to `onFault` and otherwise ignored: it is a copy.
 */
export function rememberInFile(file: string, onFault: (error: unknown) => void): RememberedProducts {
  const memory = rememberInMemory()
  try {
    if (existsSync(file)) memory.remember(parsed(readFileSync(file, 'utf8')))
  } catch (error) {
    onFault(error)
  }
  return {
    read: memory.read,
    remember(products) {
      memory.remember(products)
      try {
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(`${file}.tmp`, JSON.stringify(products))
        renameSync(`${file}.tmp`, file)
      } catch (error) {
        onFault(error)
      }
    },
  }
}

function parsed(text: string): Product[] {
  const values: unknown = JSON.parse(text)
  return Array.isArray(values) ? values.filter(isProduct) : []
}

function isProduct(value: unknown): value is Product {
  return (
    typeof value === 'object' &&
    value !== null &&
    'product_id' in value &&
    typeof value.product_id === 'string' &&
    'title' in value &&
    typeof value.title === 'string'
  )
}
