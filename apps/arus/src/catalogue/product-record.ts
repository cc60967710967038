import type { Category, Product } from './catalogue.ts'

const HEAD_BYTES = 44
const NO_CATEGORY = 0xffff
const HAS_IMAGE = 1
const HAS_URL = 2
const HAS_STARS = 4
const HAS_PRICE = 8
const HAS_LIST_PRICE = 16
const IS_BEST_SELLER = 32

/** The largest record: beyond it, title and addresses are refused by the import long before. */
export const RECORD_BYTES_MAX = 1 << 18

/** A product as stored: what its category's number stands for, and its discount, are worked out when it is read. */
export type StoredProduct = Omit<Product, 'discount' | 'category' | 'category_id'> & {
  /** Position in the catalogue's list of categories; null when it has none. */
  readonly category_index: number | null
}

/**
 * Writes a product record into `target` and returns its length in bytes. Layout, little-endian: stars f64, price f64,
 * list price f64, reviews u32, bought u32, category index u16, flags u8, unused u8, byte lengths of title, image address,
 * product address and id (u16 each), then these four as UTF-8. Null is a cleared flag.
 */
export function encodeProduct(product: StoredProduct, target: Buffer): number {
  let end = HEAD_BYTES
  const titleBytes = target.write(product.title, end)
  end += titleBytes
  const imageBytes = product.image_url === null ? 0 : target.write(product.image_url, end)
  end += imageBytes
  const urlBytes = product.product_url === null ? 0 : target.write(product.product_url, end)
  end += urlBytes
  const idBytes = target.write(product.product_id, end)
  target.writeDoubleLE(product.stars ?? 0, 0)
  target.writeDoubleLE(product.price ?? 0, 8)
  target.writeDoubleLE(product.list_price ?? 0, 16)
  target.writeUInt32LE(product.reviews, 24)
  target.writeUInt32LE(product.bought_in_last_month, 28)
  target.writeUInt16LE(product.category_index ?? NO_CATEGORY, 32)
  target[34] = flagsOf(product)
  target[35] = 0
  target.writeUInt16LE(titleBytes, 36)
  target.writeUInt16LE(imageBytes, 38)
  target.writeUInt16LE(urlBytes, 40)
  target.writeUInt16LE(idBytes, 42)
  return end + idBytes
}

/** The product in a record. The bytes are read before the call returns, so a temporary buffer will do. */
export function decodeProduct(record: Buffer, categories: readonly Category[]): Product {
  const flags = record[34]!
  const titleEnd = HEAD_BYTES + record.readUInt16LE(36)
  const imageEnd = titleEnd + record.readUInt16LE(38)
  const urlEnd = imageEnd + record.readUInt16LE(40)
  const idEnd = urlEnd + record.readUInt16LE(42)
  const price = flags & HAS_PRICE ? record.readDoubleLE(8) : null
  const listPrice = flags & HAS_LIST_PRICE ? record.readDoubleLE(16) : null
  const category = categories[record.readUInt16LE(32)]
  return {
    product_id: record.toString('utf8', urlEnd, idEnd),
    title: record.toString('utf8', HEAD_BYTES, titleEnd),
    image_url: flags & HAS_IMAGE ? record.toString('utf8', titleEnd, imageEnd) : null,
    product_url: flags & HAS_URL ? record.toString('utf8', imageEnd, urlEnd) : null,
    stars: flags & HAS_STARS ? record.readDoubleLE(0) : null,
    reviews: record.readUInt32LE(24),
    price,
    list_price: listPrice,
    discount: discountOf(price, listPrice),
    category_id: category?.category_id ?? null,
    category: category?.name ?? null,
    is_best_seller: (flags & IS_BEST_SELLER) !== 0,
    bought_in_last_month: record.readUInt32LE(28),
  }
}

/** How far `price` is below `listPrice`, 0 to 1; null when either is missing or it is not lower. */
export function discountOf(price: number | null, listPrice: number | null): number | null {
  return price !== null && listPrice !== null && price < listPrice ? 1 - price / listPrice : null
}

function flagsOf(product: StoredProduct): number {
  return (
    (product.image_url === null ? 0 : HAS_IMAGE) |
    (product.product_url === null ? 0 : HAS_URL) |
    (product.stars === null ? 0 : HAS_STARS) |
    (product.price === null ? 0 : HAS_PRICE) |
    (product.list_price === null ? 0 : HAS_LIST_PRICE) |
    (product.is_best_seller ? IS_BEST_SELLER : 0)
  )
}
