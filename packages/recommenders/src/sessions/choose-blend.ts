import { BlendModel } from '../blend-model.ts'
import type { Model, ScoredItems } from '../model.ts'
import { evaluateCases, type Repeats, type SessionCases } from './evaluate-sessions.ts'
import { SESSION_BLEND, type SessionBlendOptions, type SessionModelSpec } from './session-model.ts'

/** A model's answers to all validation cases, to be given again without computing them again. */
export interface RecordedModel {
  readonly spec: SessionModelSpec
  readonly kind: string
  readonly itemCount: number
  readonly answers: readonly ScoredItems[]
}

type Parts = SessionBlendOptions['parts']

const WEIGHTS = [0.1, 0.25, 0.5, 1]
/** Factors by which weights are tried anew when a part was added. */
const WEIGHT_STEPS = [0.5, 0.7, 1.4, 2]
/** A further part must raise the objective by this share, since it costs time at every answer, … */
const GAIN_MIN = 0.001
/** … and by this share over √predictions, since on little data some part helps by chance. */
const GAIN_BY_CHANCE = 0.1

/** Asks a model for `depth` items in every case, in the order in which `evaluateCases` does. */
export function recordAnswers(
  model: Model,
  spec: SessionModelSpec,
  cases: SessionCases,
  { depth, repeats }: { readonly depth: number; readonly repeats: Repeats },
): RecordedModel {
  const answers: ScoredItems[] = []
  const recorder: Pick<Model, 'recommend'> = {
    recommend: (user, options) => {
      const answer = model.recommend(user, { ...options, k: depth })
      answers.push(answer)
      return answer
    },
  }
  evaluateCases(recorder, cases, { k: depth, repeats })
  return { spec, kind: model.kind, itemCount: model.itemCount, answers }
}

/**
 * Greedy ensemble selection (Caruana, Niculescu-Mizil, Crew, Ksikes: "Ensemble Selection from Libraries of Models", ICML 2004): starting
 * from the first of `pool`, which is the best, adds the model and weight that raise the objective most, then tries the other weights
 * anew; `partsMax` parts at most. One part where none helps.
 */
export function chooseBlend(
  pool: readonly RecordedModel[],
  { objectiveOfFirst, partsMax }: { readonly objectiveOfFirst: number; readonly partsMax: number },
  objectiveOf: (model: Model) => number,
): Parts {
  const bySpec = new Map(pool.map((one) => [one.spec, one]))
  const judge = (parts: Parts): Blend => ({
    parts,
    objective: objectiveOf(
      new BlendModel(
        parts.map(({ spec, weight }) => ({ weight, model: replayed(bySpec.get(spec)!) })),
        SESSION_BLEND,
      ),
    ),
  })
  let best: Blend = { parts: [{ weight: 1, spec: pool[0]!.spec }], objective: objectiveOfFirst }
  const gainMin = Math.max(GAIN_MIN, GAIN_BY_CHANCE / Math.sqrt(pool[0]!.answers.length))
  while (best.parts.length < partsMax) {
    const others = pool.filter(({ spec }) => !best.parts.some((part) => part.spec === spec))
    const wider = others
      .flatMap(({ spec }) => WEIGHTS.map((weight) => judge([...best.parts, { weight, spec }])))
      .reduce(better, best)
    if (wider === best || wider.objective < best.objective * (1 + gainMin)) break
    best = wider
    for (let place = 1; place < best.parts.length; place++)
      best = WEIGHT_STEPS.map((step) => judge(withWeight(best.parts, place, step))).reduce(better, best)
  }
  return best.parts
}

interface Blend {
  readonly parts: Parts
  readonly objective: number
}

function better(a: Blend, b: Blend): Blend {
  return b.objective > a.objective ? b : a
}

function withWeight(parts: Parts, place: number, factor: number): Parts {
  return parts.map((part, n) => (n === place ? { ...part, weight: round(part.weight * factor) } : part))
}

/** To thousandths, so that a choice can be read and written down. */
function round(weight: number): number {
  return Math.round(weight * 1_000) / 1_000
}

/** A model that gives the recorded answers one after the other. */
function replayed({ kind, itemCount, answers }: RecordedModel): Model {
  let next = 0
  const recommend = () => answers[next++]!
  return {
    kind,
    itemCount,
    recommend,
    similar: recommend,
    explain: ({ items }) => new Float32Array(items.length),
    reasons: (_, items) => new Int32Array(items.length).fill(-1),
    file: () => [],
  }
}
