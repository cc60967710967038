import type { Model } from '../model.ts'
import type { ModelFile } from '../model-file.ts'
import { indexOfFile } from './session-index.ts'
import { SessionPairsModel } from './session-pairs-model.ts'
import { vmisKnnOf } from './vmis-knn.ts'
import { vstanOf } from './vstan.ts'

/** The session model of a file, or none where it is of another kind. */
export function loadSessionModel(file: ModelFile): Model | undefined {
  switch (file.kind) {
    case 'vmis-knn':
      return vmisKnnOf(indexOfFile(file), file.meta)
    case 'vstan':
      return vstanOf(indexOfFile(file), file.meta)
    case 'sequential-rules':
    case 'session-item-knn':
      return SessionPairsModel.load(file)
    default:
      return undefined
  }
}
