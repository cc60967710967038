import type { Forgotten } from '../api-schema/index.ts'
import type { ErasureReport } from './erasure.ts'

/** A report as the API and the command line give it. */
export function forgottenBody(userId: string, report: ErasureReport): Forgotten {
  const { otherNames, removed, remains, outdatedModels, modelInService } = report
  return {
    user_id: userId,
    other_names: otherNames,
    removed: { ...removed },
    remains: [...remains],
    outdated_models: [...outdatedModels],
    model_in_service: modelInService,
  }
}
