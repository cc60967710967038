import type { FileParts } from '@arus/recommenders'

export type ModelStatus = 'candidate' | 'production' | 'archived'

/** What came of a model that helps the chosen one: of sessions, or of what is bought together. */
export interface HelperReport {
  /** Its algorithm; null where it is not surely better than what answers without it, so that the version has none. */
  readonly kind: string | null
  readonly spec: Readonly<Record<string, unknown>>
  /**
   * On the next product of held-out sessions, or the product left out of a held-out order: `hit_rate@20`, `mrr@20`, by who asks and
   * what answers.
   */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** What was decided and why, for a person. */
  readonly reason: string
}

/** A trained model as the registry knows it. */
export interface ModelVersion {
  /** Counts up from 1 within the shop. */
  readonly version: number
  /** Algorithm that carries the version: `walk`, `popular`, … */
  readonly kind: string
  readonly status: ModelStatus
  /** Full-ranking metrics on the held-out period: `recall@20`, `ndcg@20`, `coverage@20`, … by algorithm. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Null where there were too few sessions, and in versions of before there were such models. */
  readonly session?: HelperReport | null
  /** Null where there were too few orders of several products, and in versions of before there were such models. */
  readonly cart?: HelperReport | null
  readonly params: Readonly<Record<string, unknown>>
  /** Version of each Delta table it was trained from. */
  readonly table_versions: Readonly<Record<string, number>>
  readonly user_count: number
  readonly product_count: number
  readonly interaction_count: number
  readonly size_bytes: number
  /** When its training data began to be read, UTC ms. */
  readonly trained_at: number
  readonly promoted_at: number | null
  /** Why it was promoted or not, for a person. */
  readonly reason: string
  /** A shopper was erased since whose history its training data may hold: the next training round replaces it. */
  readonly outdated: boolean
}

export type NewModelVersion = Omit<
  ModelVersion,
  'version' | 'status' | 'promoted_at' | 'size_bytes' | 'outdated'
>

/** Trained models, their metrics and which one serves. At most one version is in production. */
export interface Registry {
  /** Stores the artefact, given in parts of which no copy is made, durably, then the version, as a candidate. */
  register(model: NewModelVersion, artefact: FileParts): Promise<ModelVersion>
  /** Newest first. */
  list(): Promise<ModelVersion[]>
  /** Throws `MODEL_UNKNOWN`. */
  get(version: number): Promise<ModelVersion>
  production(): Promise<ModelVersion | null>
  /** Puts the version into production and archives the one before. */
  promote(version: number, reason: string): Promise<ModelVersion>
  /**
   * Puts the version that was in production before back, the newest that is not outdated; throws `MODEL_UNKNOWN` when
   * there is none.
   */
  rollback(): Promise<ModelVersion>
  /** Throws `MODEL_FILE_CORRUPT` when its checksum does not match. */
  artefact(version: number): Promise<Uint8Array>
  isHealthy(): Promise<boolean>
}
