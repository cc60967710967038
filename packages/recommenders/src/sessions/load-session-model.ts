import type { Model } from '../model.ts'
import type { ModelFile } from '../model-file.ts'
import { SessionBlendModel } from './session-blend-model.ts'
import { indexOfFile } from './session-index.ts'
import { SessionPairsModel } from './session-pairs-model.ts'
import { vmisKnnOf } from './vmis-knn.ts'
import { vstanOf } from './vstan.ts'

/** The session model of a file, or none where it is of another kind. `loadPart` opens the parts of a blend. */
export function loadSessionModel(file: ModelFile, loadPart: (bytes: Uint8Array) => Model): Model | undefined {
  switch (file.kind) {
    case 'vmis-knn':
      return vmisKnnOf(indexOfFile(file), file.meta)
    case 'vstan':
      return vstanOf(indexOfFile(file), file.meta)
    case 'sequential-rules':
    case 'session-item-knn':
      return SessionPairsModel.load(file)
    case 'session-blend':
      return SessionBlendModel.load(file, loadPart)
    default:
      return undefined
  }
}
