import type { PlannedCategory } from './category-plan.ts'
import type { SeededRandom } from './seeded-random.ts'

const SYLLABLES =
  'ba be bo ca ce cor da del dor el en fa fen gra hal in jo ka kel la len lo lu ma mer mi na nor o pel qui ra ri ro sa sen sol ta ter tu va vel vi wen xa yo za zen'.split(
    ' ',
  )

const ADJECTIVES =
  'Adjustable,Airy,Anti Slip,Bright,Classic,Comfortable,Compact,Deluxe,Double,Durable,Easy Clean,Eco Friendly,Elegant,Essential,Everyday,Extra Large,Foldable,Gentle,Handmade,Heavy Duty,High Capacity,Insulated,Large,Leak Proof,Lightweight,Long Lasting,Luxury,Mini,Modern,Multi Purpose,Natural,Non Toxic,Organic,Original,Padded,Portable,Premium,Professional,Quick Dry,Quiet,Rechargeable,Reusable,Reinforced,Retro,Rustic,Safe,Scratch Resistant,Shockproof,Slim,Smart,Soft,Space Saving,Stackable,Strong,Sturdy,Thick,Travel,Ultra Thin,Universal,Upgraded,Versatile,Vintage,Washable,Waterproof,Wide,Wireless'.split(
    ',',
  )

const PURPOSES =
  'Home,Office,Travel,Outdoor,Kitchen,Bedroom,Living Room,Bathroom,Gym,School,Camping,Garage,Garden,Men,Women,Kids,Teens,Beginners,Professionals,Seniors,Daily Use,Gifts,Birthdays,Small Spaces,Large Families,Winter,Summer'.split(
    ',',
  )

const COLOURS =
  'Black,White,Gray,Navy Blue,Sky Blue,Red,Burgundy,Forest Green,Mint,Olive,Yellow,Mustard,Orange,Coral,Pink,Lavender,Purple,Brown,Beige,Cream,Silver,Gold,Rose Gold,Charcoal,Teal,Turquoise,Clear,Multicolor'.split(
    ',',
  )

const MATERIALS =
  'Cotton,Stainless Steel,Bamboo,Silicone,Aluminum,Leather,Ceramic,Oak,Polyester,Linen,Wool,Glass,Carbon Steel,Recycled Plastic,Canvas,Cast Iron,Microfiber,Nylon,Acrylic,Walnut'.split(
    ',',
  )

const BRANDS_PER_CATEGORY = 60
const BRAND_COUNT = 2400

/** Invented brands, the same list for the same random numbers. */
export function inventBrands(random: SeededRandom): string[] {
  const brands = new Set<string>()
  while (brands.size < BRAND_COUNT) {
    const syllableCount = 2 + random.below(2)
    let name = ''
    for (let i = 0; i < syllableCount; i++) name += SYLLABLES[random.below(SYLLABLES.length)]
    if (name.length >= 4) brands.add(name[0]!.toUpperCase() + name.slice(1))
  }
  return [...brands]
}

/** Writes titles of one category: its own brands (a few of them lead), adjectives, a noun and a variant. */
export interface TitleWriter {
  title(): string
}

/** `brands` are shared by the whole shop; the category takes its own share of them. */
export function titleWriter(
  category: PlannedCategory,
  brands: readonly string[],
  random: SeededRandom,
): TitleWriter {
  const own = Array.from({ length: BRANDS_PER_CATEGORY }, () => brands[random.below(brands.length)]!)

  function variant(): string {
    switch (random.below(7)) {
      case 0:
        return ` - ${2 + random.below(23)} Pack`
      case 1:
        return `, ${1 + random.below(48)}x${1 + random.below(48)} Inch`
      case 2:
        return `, Size ${4 + random.below(40)}`
      case 3:
        return ` (${String.fromCharCode(65 + random.below(26))}${String.fromCharCode(65 + random.below(26))}${10 + random.below(990)})`
      case 4:
        return `, ${1 + random.below(64)} oz`
      case 5:
        return ` Set of ${2 + random.below(11)}`
      default:
        return `, ${5 * (1 + random.below(60))} cm`
    }
  }

  function title(): string {
    const squared = random.next()
    const brand = own[Math.floor(squared * squared * own.length)]!
    const noun = category.nouns[random.below(category.nouns.length)]!
    let text = `${brand} ${pick(ADJECTIVES, random)} `
    if (random.next() < 0.45) text += `${pick(MATERIALS, random)} `
    text += noun
    if (random.next() < 0.6) text += ` for ${pick(PURPOSES, random)}`
    if (random.next() < 0.35) text += ` and ${pick(PURPOSES, random)}`
    if (random.next() < 0.5) text += `, ${pick(ADJECTIVES, random)}`
    return `${text}, ${pick(COLOURS, random)}${variant()}`
  }

  return { title }
}

function pick(words: readonly string[], random: SeededRandom): string {
  return words[random.below(words.length)]!
}
