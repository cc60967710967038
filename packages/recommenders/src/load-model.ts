import { AlsModel } from './als-model.ts'
import { NextBasketModel } from './baskets/next-basket-model.ts'
import { BlendModel } from './blend-model.ts'
import { RecommenderError } from './errors.ts'
import { LowPassModel, SHORT_LOW_PASS } from './low-pass-model.ts'
import type { Model } from './model.ts'
import { readModelFile } from './model-file.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { RankingModel } from './ranking-model.ts'
import { loadSessionModel } from './sessions/load-session-model.ts'

const NEIGHBOUR_KINDS = ['walk', 'content', 'item-knn', 'ease', 'slim', 'bought-together', SHORT_LOW_PASS]

/** The model of what `Model.file` gave, in one piece. Throws `MODEL_FILE_CORRUPT`, `MODEL_FILE_UNKNOWN`. */
export function loadModel(bytes: Uint8Array): Model {
  const file = readModelFile(bytes)
  if (file.kind === 'popular' || file.kind === 'trending') return RankingModel.load(file)
  if (NEIGHBOUR_KINDS.includes(file.kind)) return NeighbourModel.load(file)
  if (file.kind === 'als') return AlsModel.load(file)
  if (file.kind === 'blend') return BlendModel.load(file, loadModel)
  if (file.kind === 'low-pass') return LowPassModel.load(file)
  if (file.kind === 'next-basket') return NextBasketModel.load(file)
  const sessionModel = loadSessionModel(file)
  if (sessionModel !== undefined) return sessionModel
  throw new RecommenderError('MODEL_FILE_UNKNOWN', `No model of this version is of kind "${file.kind}"`)
}
