import { CompiledRules } from '../../rules/compiled-rules.ts'
import { rulesInForce } from '../../rules/in-force.ts'
import type { NewRule, Rule } from '../../rules/rule.ts'
import { type Asking, askOf } from '../ask-of.ts'
import type { Fallback, RecommendedItem } from '../recommendation.ts'
import { createRecommender } from '../recommender.ts'
import type { RecommenderOptions } from '../recommender-options.ts'
import type { Arranged } from './arranged.ts'

/** What a preview is made from: the parts of the server, and the rules it keeps. */
export interface PreviewSource
  extends Pick<
    RecommenderOptions,
    'catalogue' | 'live' | 'model' | 'isWithheld' | 'remembered' | 'uuid' | 'now'
  > {
  readonly rules: () => Promise<readonly Rule[]>
}

export interface PreviewRequest {
  readonly asking: Asking
  readonly rules: readonly NewRule[]
  /** Ids of kept rules to leave out. */
  readonly without: readonly string[]
  /** UTC ms; null means now. */
  readonly atMs: number | null
}

export interface PreviewAnswer {
  readonly recommendations: RecommendedItem[]
  readonly fallback: Fallback
}

export interface PreviewChange {
  readonly product_id: string
  readonly title: string | null
  readonly rank_before: number | null
  readonly rank_after: number | null
  readonly rules: Rule[]
}

/** An answer with the rules kept, and with others. */
export interface RulesPreview {
  readonly scenario: string
  /** UTC ms. */
  readonly at: number
  readonly before: PreviewAnswer
  readonly after: PreviewAnswer
  readonly changes: PreviewChange[]
  readonly without_effect: Rule[]
}

interface Trial {
  readonly scenario: string
  readonly answer: PreviewAnswer
  /** The rule that keeps a product out, or null. */
  readonly excluderOf: (productId: string) => Rule | null
  readonly arranged: Arranged | null
}

/**
 * Gives the same answer twice, with the rules kept and with those of the request; both draw from the same seed. Nothing of
 * it is logged or counted. Throws `PRODUCT_UNKNOWN` as `similar` does.
 */
export async function previewRules(source: PreviewSource, request: PreviewRequest): Promise<RulesPreview> {
  const at = request.atMs ?? source.now()
  const kept = await source.rules()
  const unsaved = request.rules.map((rule, position) => unsavedRule(rule, position, at))
  const left = kept.filter(({ id }) => !request.without.includes(id))
  const seed = source.uuid()
  const before = await trial(source, request.asking, { rules: kept, at, seed })
  const after = await trial(source, request.asking, { rules: [...left, ...unsaved], at, seed })
  return {
    scenario: after.scenario,
    at,
    before: before.answer,
    after: after.answer,
    changes: changesBetween(before, after, new Set([...unsaved.map(({ id }) => id), ...request.without])),
    without_effect: unsaved.filter(
      ({ id }) => !(after.arranged?.applied.some(({ rule }) => rule.id === id) ?? false),
    ),
  }
}

/** Newest of all, as it will be when it is kept. */
function unsavedRule(rule: NewRule, position: number, at: number): Rule {
  return { id: `new_${position + 1}`, ...rule, created_at: at + position, updated_at: at }
}

async function trial(
  source: PreviewSource,
  asking: Asking,
  { rules, at, seed }: { readonly rules: readonly Rule[]; readonly at: number; readonly seed: string },
): Promise<Trial> {
  let compiled: CompiledRules | null = null
  let arranged: Arranged | null = null
  const recommender = createRecommender({
    catalogue: source.catalogue,
    live: () => {
      const live = source.live()
      return live === null ? null : uncounted(live)
    },
    model: source.model,
    ...(source.isWithheld === undefined ? {} : { isWithheld: source.isWithheld }),
    ...(source.remembered === undefined ? {} : { remembered: source.remembered }),
    rules: (scenario) => {
      const inForce = rulesInForce(rules, scenario, at)
      compiled = inForce.length === 0 ? null : new CompiledRules(inForce, 0)
      return compiled
    },
    onAnswer: (_passport, made) => {
      arranged = made.arranged
    },
    now: source.now,
    uuid: () => seed,
  })
  const { scenario, recommendations, fallback } = await askOf(recommender, asking)
  const excluderOf = (productId: string) =>
    (compiled as CompiledRules | null)?.excluderOf(productId, source.catalogue()?.get(productId)) ?? null
  return { scenario, answer: { recommendations, fallback }, excluderOf, arranged }
}

/** A preview is no recommendation that was given. */
function uncounted(live: NonNullable<ReturnType<PreviewSource['live']>>) {
  return {
    history: live.history.bind(live),
    session: live.session.bind(live),
    trending: live.trending.bind(live),
    goesWith: live.goesWith.bind(live),
    countRecommendation: () => {},
  }
}

function changesBetween(before: Trial, after: Trial, changed: ReadonlySet<string>): PreviewChange[] {
  const itemsBefore = itemsOf(before)
  const itemsAfter = itemsOf(after)
  return [...new Set([...itemsAfter.keys(), ...itemsBefore.keys()])].flatMap((product_id) => {
    const [was, is] = [itemsBefore.get(product_id), itemsAfter.get(product_id)]
    if (was?.rank === is?.rank) return []
    const rules = [...rulesOn(product_id, after), ...rulesOn(product_id, before)]
    return {
      product_id,
      title: is?.title ?? was?.title ?? null,
      rank_before: was?.rank ?? null,
      rank_after: is?.rank ?? null,
      rules: [...new Map(rules.map((rule) => [rule.id, rule])).values()].filter(({ id }) => changed.has(id)),
    }
  })
}

function itemsOf({ answer }: Trial): Map<string, RecommendedItem> {
  return new Map(answer.recommendations.map((item) => [item.product_id, item]))
}

/** Those that touched it; what was excluded before anything was retrieved is not told of whole, so it is asked for. */
function rulesOn(productId: string, { arranged, excluderOf }: Trial): Rule[] {
  const excluder = excluderOf(productId)
  const touching = (arranged?.applied ?? []).filter(({ products }) => products.includes(productId))
  return [...touching.map(({ rule }) => rule), ...(excluder === null ? [] : [excluder])]
}
