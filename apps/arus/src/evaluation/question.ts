import { ArusError } from '../errors.ts'
import { SPARK_ALS } from '../training/spark-als-options.ts'
import { PRODUCTION } from './conclude.ts'
import { BLEND, CHOICE, SEARCHED_KINDS } from './evaluate-interactions.ts'
import { REFERENCE_NAME, SESSION_KINDS, type SessionFiles } from './evaluate-session-files.ts'

/** What is to be evaluated: plain data. */
export type EvaluationData =
  | { readonly kind: 'shop'; readonly split: 'time' | 'leave-last-out' }
  /** LightGCN-style files; without a test file the last of each user's items is the test. */
  | { readonly kind: 'lists'; readonly trainFile: string; readonly testFile?: string | undefined }
  | ({ readonly kind: 'sessions' } & SessionFiles)

export interface EvaluationQuestion {
  readonly data: EvaluationData
  /** Length of the lists. */
  readonly k: number
  /** Names of models; all when null. */
  readonly models: readonly string[] | null
  /** Null: the default of the data. */
  readonly budgetSeconds: number | null
  /** Test shoppers or sessions at most; null: the default of the data. */
  readonly userLimit: number | null
}

/** Names of the models that can be measured on data of a kind. */
export function modelNames(kind: EvaluationData['kind']): readonly string[] {
  if (kind === 'sessions') return [...SESSION_KINDS, REFERENCE_NAME]
  const searched = [...SEARCHED_KINDS, BLEND, CHOICE, SPARK_ALS]
  return kind === 'lists' ? searched : [...searched, 'trending', 'content', PRODUCTION]
}

/** Throws `REQUEST_INVALID` where a name is no model of the data. */
export function assertModels({ data, models }: Pick<EvaluationQuestion, 'data' | 'models'>): void {
  const known = modelNames(data.kind)
  const unknown = models?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ArusError(
      'REQUEST_INVALID',
      `No model is called "${unknown}" here; there are ${known.join(', ')}`,
    )
  if (models?.length === 0)
    throw new ArusError('REQUEST_INVALID', `--models takes names of ${known.join(', ')}`)
}
