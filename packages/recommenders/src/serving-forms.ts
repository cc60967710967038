import type { BlendChoice, Choice, ModelChoice } from './choice.ts'

/** Neighbours among which the rows of a shortened model are chosen: what the low-rank part says of others is left out. */
const WIDE_NEIGHBOURS = 800
/** Neighbours of all items at most while it is fitted, 8 bytes each: large catalogues get fewer. */
const ENTRIES_MAX = 2 ** 25
const NEIGHBOURS_MIN = 200

/** Best neighbours kept: beyond 200 an answer costs as much as the walk's, below 50 much is lost (docs/MODELS.md). */
const ROW_LENGTHS = [50, 100, 200] as const
/** The longest rows of a form. */
export const ROW_LENGTH_MAX = ROW_LENGTHS[2]

/**
 * Cheaper forms of a choice that has a low-pass part, the cheapest first: the part shortened and alone, then shortened beside the
 * others. An order known without measuring, so that it is the same everywhere: shorter rows cost less, and so does a model without others
 * beside it (but for a part that costs next to nothing, such as what is popular). None without such a part.
 */
export function servingForms(choice: Choice, itemCount: number): Choice[] {
  const parts = choice.kind === 'blend' ? choice.parts : [{ choice, weight: 1 }]
  const recencyExponent = choice.kind === 'blend' ? choice.recencyExponent : 0
  if (!parts.some((part) => part.choice.kind === 'low-pass')) return []
  const blends = ROW_LENGTHS.map(
    (rowLength): BlendChoice => ({
      kind: 'blend',
      recencyExponent,
      parts: parts.map((part) => ({ ...part, choice: shortened(part.choice, rowLength, itemCount) })),
    }),
  )
  const alone = blends.map((blend) => ({ ...blend, parts: blend.parts.filter(isShort) })).map(plain)
  return parts.length === 1 ? alone : [...alone, ...blends]
}

/** True where a low-pass part was shortened for serving. */
export function isShortened(choice: Choice): boolean {
  return choice.kind === 'blend' ? choice.parts.some(isShort) : choice.kind === 'short-low-pass'
}

function isShort({ choice }: BlendChoice['parts'][number]): boolean {
  return choice.kind === 'short-low-pass'
}

/** A blend of one part without recency is that part. */
function plain(blend: BlendChoice): Choice {
  return blend.recencyExponent === 0 ? blend.parts[0]!.choice : blend
}

function shortened(choice: ModelChoice, rowLength: number, itemCount: number): ModelChoice {
  if (choice.kind !== 'low-pass') return choice
  const neighbourCount = Math.min(
    WIDE_NEIGHBOURS,
    Math.max(NEIGHBOURS_MIN, Math.floor(ENTRIES_MAX / Math.max(1, itemCount))),
  )
  const walk = { ...choice.options.walk, neighbourCount }
  return { kind: 'short-low-pass', options: { ...choice.options, walk, rowLength } }
}
