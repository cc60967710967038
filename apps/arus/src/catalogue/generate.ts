import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ArusError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import { type PlannedCategory, plannedCategories } from './category-plan.ts'
import { drawFigures, PRICE_LOG_BETWEEN, type ProductFigures } from './product-distributions.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import { inventBrands, type TitleWriter, titleWriter } from './title-writer.ts'

export interface GenerateCatalogueOptions {
  /** Where `products.csv` and `categories.csv` are put; made when absent. */
  readonly folder: string
  readonly productCount: number
  readonly seed: number
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** The largest catalogue that is generated: the size of the file in DESIGN §9. */
export const PRODUCT_COUNT_MAX = 1_426_337

const PRODUCTS_HEADER =
  'asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth'

/** Share of products that repeat the title of an earlier one of their category: 1,385,430 titles of 1,426,337. */
const REPEATED_TITLE_SHARE = 0.0287
const ROWS_PER_BLOCK = 4096
const TITLES_REMEMBERED = 64

/**
 * Writes a generated catalogue of the schema in DESIGN §9 as two CSV files: the same bytes for the same seed and size.
 * Constant memory; each file appears whole, by rename. Throws `REQUEST_INVALID` for a size out of range, `CANCELLED` on
 * abort. Cost: about 2 µs a product.
 */
export async function generateCatalogueFiles(
  options: GenerateCatalogueOptions,
): Promise<{ productsFile: string; categoriesFile: string }> {
  const { folder, productCount } = options
  if (!Number.isInteger(productCount) || productCount < 1 || productCount > PRODUCT_COUNT_MAX) {
    throw new ArusError(
      'REQUEST_INVALID',
      `The number of products must be a whole number from 1 to ${PRODUCT_COUNT_MAX}, found ${productCount}`,
    )
  }
  await mkdir(folder, { recursive: true })
  const productsFile = join(folder, 'products.csv')
  const categoriesFile = join(folder, 'categories.csv')
  const plan = plannedCategories()
  await writeWhole(categoriesFile, (path) => writeFile(path, categoriesCsv(plan)))
  await writeWhole(productsFile, (path) => writeBlocks(path, productBlocks(plan, options), options.signal))
  return { productsFile, categoriesFile }
}

async function writeWhole(file: string, write: (path: string) => Promise<void>): Promise<void> {
  const partial = `${file}.partial`
  try {
    await write(partial)
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

async function writeBlocks(path: string, blocks: Iterable<string>, signal?: AbortSignal): Promise<void> {
  try {
    const source = Readable.from(blocks, { objectMode: true, highWaterMark: 2 })
    await pipeline(source, createWriteStream(path, { highWaterMark: 1 << 20 }), signal ? { signal } : {})
  } catch (error) {
    if (signal?.aborted)
      throw new ArusError('CANCELLED', 'Generating the catalogue was stopped', { cause: error })
    throw new ArusError(
      'FILE_UNREADABLE',
      `Cannot write ${path}: is the folder writable and the disk not full?`,
      {
        cause: error,
      },
    )
  }
}

function categoriesCsv(plan: readonly PlannedCategory[]): string {
  const lines = plan.map(({ categoryId, name }) => `${categoryId},${csvField(name)}`)
  return `id,category_name\n${lines.join('\n')}\n`
}

/** A category while products are drawn: its title writer, price level, and the titles lately used. */
interface Shelf {
  readonly categoryId: number
  readonly titles: TitleWriter
  readonly priceLog: number
  readonly recent: string[]
}

function* productBlocks(
  plan: readonly PlannedCategory[],
  options: GenerateCatalogueOptions,
): Iterable<string> {
  const { productCount, seed, onProgress } = options
  const random = seededRandom(seed)
  const brands = inventBrands(random)
  const shelves = plan.map((category) => stockShelf(category, brands, random))
  const shelfAt = shelfPicker(shelves.length, random)
  const figures: ProductFigures = {
    stars: 0,
    reviews: 0,
    price: 0,
    listPrice: 0,
    isBestSeller: false,
    boughtInLastMonth: 0,
  }
  let block = `${PRODUCTS_HEADER}\n`
  for (let row = 0; row < productCount; row++) {
    const shelf = shelves[shelfAt(random.next())]!
    const id = productIdAt(row, seed)
    drawFigures(random, shelf.priceLog, figures)
    block += `${id},${csvField(nextTitle(shelf, random))},,https://shop.example/p/${id},${figures.stars.toFixed(1)},${figures.reviews},${decimal(figures.price)},${decimal(figures.listPrice)},${shelf.categoryId},${figures.isBestSeller ? 'True' : 'False'},${figures.boughtInLastMonth}\n`
    if ((row + 1) % ROWS_PER_BLOCK === 0) {
      yield block
      block = ''
      onProgress?.({ step: 'Generating products', done: row + 1, total: productCount, unit: 'rows' })
    }
  }
  if (block !== '') yield block
  onProgress?.({ step: 'Generating products', done: productCount, total: productCount, unit: 'rows' })
}

function stockShelf(category: PlannedCategory, brands: readonly string[], random: SeededRandom): Shelf {
  return {
    categoryId: category.categoryId,
    titles: titleWriter(category, brands, random),
    priceLog: 2.995 + PRICE_LOG_BETWEEN * random.normal(),
    recent: [],
  }
}

/** Maps a uniform number to a category: shares fall like 1 / (rank + 20), the ranks shuffled over the ids. */
function shelfPicker(count: number, random: SeededRandom): (uniform: number) => number {
  const order = Array.from({ length: count }, (_, index) => index)
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 20)
    cumulative[rank] = sum
  }
  return (uniform) => {
    const target = uniform * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! > target) high = middle
      else low = middle + 1
    }
    return order[low]!
  }
}

function nextTitle(shelf: Shelf, random: SeededRandom): string {
  if (shelf.recent.length > 0 && random.next() < REPEATED_TITLE_SHARE) {
    return shelf.recent[random.below(shelf.recent.length)]!
  }
  const title = shelf.titles.title()
  if (shelf.recent.length < TITLES_REMEMBERED) shelf.recent.push(title)
  else shelf.recent[random.below(TITLES_REMEMBERED)] = title
  return title
}

const ID_SYMBOLS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/**
 * The 10-character id of a row: `B0`, then eight base-36 digits of a number that is one-to-one in the row (an odd
 * multiplier modulo 2^31), so ids are unique without remembering them, and look unordered.
 */
export function productIdAt(row: number, seed: number): string {
  let number = (Math.imul(row, 0x2c1b3c6d) + Math.imul(seed, 0x297a2d39)) & 0x7fffffff
  let digits = ''
  for (let i = 0; i < 6; i++) {
    digits = ID_SYMBOLS[number % 36]! + digits
    number = Math.floor(number / 36)
  }
  return `B0${ID_SYMBOLS[10 + (row % 23)]}${ID_SYMBOLS[(row * 7) % 36]}${digits}`
}

function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}

function csvField(text: string): string {
  return text.includes(',') || text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text
}
