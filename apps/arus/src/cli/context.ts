import type { EventLog } from '@arus/event-log'
import type { Analysts } from '../analytics/analytics.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { SparkCompute } from '../compute/spark-compute.ts'
import type { Settings } from '../config/settings.ts'
import type { ArusDatabase } from '../database/database.ts'
import type { ErasureStore } from '../erasure/erasure-store.ts'
import type { ExperimentStore } from '../experiments/experiment-store.ts'
import type { KeyStore } from '../keys/key-store.ts'
import type { Compute } from '../lake/computation.ts'
import type { Lake } from '../lake/lake.ts'
import type { LakePlace } from '../lake/lake-place.ts'
import type { OnProgress } from '../progress.ts'
import type { LakeSql } from '../query/lake-sql.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import type { Registry } from '../registry/registry.ts'
import type { RuleStore } from '../rules/rule-store.ts'
import type { StateStore } from '../state/state-store.ts'

/** Opens parts of Arus on first use; all that was opened is closed when the command ends. */
export interface Parts {
  readonly settings: Settings
  log(): Promise<EventLog>
  state(): Promise<StateStore>
  /** Where the lake's tables are. */
  place(): Promise<LakePlace>
  lake(): Promise<Lake>
  /** Null where nothing is computed on Spark. */
  spark(): Promise<SparkCompute | null>
  /** Where the lake's derived tables are computed. */
  compute(): Promise<Compute>
  /** For questions of Arus itself. */
  query(): Promise<QueryEngine>
  /** Who answers the questions of analytics. */
  analysts(): Promise<Analysts>
  /** For questions of anyone. */
  sql(): Promise<LakeSql>
  /** Throws `CATALOGUE_EMPTY` when nothing was imported yet. */
  catalogue(): Promise<Catalogue>
  database(): Promise<ArusDatabase>
  registry(): Promise<Registry>
  /** Requests to forget shoppers. */
  erasures(): Promise<ErasureStore>
  /** Keys of the API. */
  keys(): Promise<KeyStore>
  /** Rules of the business. */
  rules(): Promise<RuleStore>
  experiments(): Promise<ExperimentStore>
}

/** What a command works with. Commands write results to `out`, and everything else (progress, notes) to stderr. */
export interface CliContext {
  readonly parts: Parts
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** A bar on a terminal, plain lines elsewhere. */
  readonly onProgress: OnProgress
  out(text: string): void
  note(text: string): void
}
