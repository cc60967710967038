import { ArusError } from '../../errors.ts'
import {
  askMlflow,
  type MlflowAccess,
  type MlflowRequest,
  mlflowCode,
  PATIENT,
  type Patience,
  sendToMlflow,
} from './mlflow-request.ts'

/** A key and a value, as MLflow has tags and parameters. */
export interface Entry {
  readonly key: string
  readonly value: string
}

export interface Metric {
  readonly key: string
  readonly value: number
  /** UTC ms. */
  readonly timestamp: number
}

export interface Run {
  readonly run_id: string
  /** Where its artefacts are, `mlflow-artifacts:/…` where the server passes them on. */
  readonly artifact_uri: string
}

export interface MlflowVersion {
  /** A whole number as text. */
  readonly version: string
  /** Folder of its artefacts. */
  readonly source: string
  readonly run_id?: string
  readonly tags?: readonly Entry[]
}

export interface NewRun {
  readonly experiment_id: string
  readonly run_name: string
  /** UTC ms. */
  readonly start_time: number
  readonly tags: readonly Entry[]
}

export interface NewVersion {
  readonly name: string
  readonly run_id: string
  readonly source: string
  readonly description: string
  readonly tags: readonly Entry[]
}

/** Stands among MLflow's codes for status 403, which is what users with few rights are told of what is not there. */
const FORBIDDEN = 'FORBIDDEN'
const API = '/api/2.0/mlflow'
/** Of `runs/log-batch`; of parameters only 100 go at once. */
const PARAMS_PER_BATCH = 100
const METRICS_PER_BATCH = 900
const PAGE_SIZE = 200
/** What uses aliases, which came with 2.3, and the answers that are told apart here. */
const VERSION_LEAST = [2, 9] as const

/**
 * MLflow's REST API as far as models need it: https://mlflow.org/docs/latest/rest-api.html. Every method throws
 * `ENGINE_UNREACHABLE` and `ENGINE_UNUSABLE` as `sendToMlflow` does.
 */
export class MlflowApi {
  readonly #access: MlflowAccess

  constructor(access: MlflowAccess) {
    this.#access = access
  }

  /** Throws where no MLflow that will do answers, or it does not let us in. */
  async check(): Promise<void> {
    const patience = { timeoutMs: 5_000, attemptsMax: 2 }
    const bytes = await sendToMlflow(this.#access, {
      method: 'GET',
      path: '/version',
      purpose: 'say its version',
      patience,
    })
    const text = new TextDecoder().decode(bytes).trim()
    const [major, minor] = (/^(\d+)\.(\d+)\./.exec(text) ?? []).slice(1).map(Number)
    const { trackingUri } = this.#access
    if (major === undefined || minor === undefined)
      throw new ArusError('ENGINE_UNUSABLE', `${trackingUri} is not MLflow; check MLFLOW_TRACKING_URI`)
    if (major < VERSION_LEAST[0] || (major === VERSION_LEAST[0] && minor < VERSION_LEAST[1]))
      throw new ArusError(
        'ENGINE_UNUSABLE',
        `MLflow ${text} at ${trackingUri} is too old; ${VERSION_LEAST.join('.')} or newer is needed`,
      )
  }

  /** The experiment of that name, made if it is not there. */
  async experiment(name: string): Promise<string> {
    const found = await this.#orNull(this.#findExperiment(name), 'RESOURCE_DOES_NOT_EXIST', FORBIDDEN)
    if (found !== null) return found
    const asked = this.#post<{ experiment_id: string }>(
      '/experiments/create',
      { name },
      { purpose: 'make an experiment' },
    )
    const made = await this.#orNull(asked, 'RESOURCE_ALREADY_EXISTS')
    return made?.experiment_id ?? this.#findExperiment(name)
  }

  async createRun(run: NewRun): Promise<Run> {
    const { run: made } = await this.#post<{ run: { info: Run } }>('/runs/create', run, {
      purpose: `make a run (of experiment ${run.experiment_id})`,
      isOnce: true,
    })
    return made.info
  }

  async log(runId: string, params: readonly Entry[], metrics: readonly Metric[]): Promise<void> {
    const options = { purpose: 'log parameters and metrics' }
    for (const some of chunksOf(params, PARAMS_PER_BATCH))
      await this.#post('/runs/log-batch', { run_id: runId, params: some }, options)
    for (const some of chunksOf(metrics, METRICS_PER_BATCH))
      await this.#post('/runs/log-batch', { run_id: runId, metrics: some }, options)
  }

  async endRun(runId: string, status: 'FINISHED' | 'FAILED', endTimeMs: number): Promise<void> {
    const run = { run_id: runId, status, end_time: endTimeMs }
    await this.#post('/runs/update', run, { purpose: 'end a run' })
  }

  /** Makes the registered model if it is not there, and looks whether we may see it. */
  async ensureRegisteredModel(name: string): Promise<void> {
    const path = `/registered-models/get?${new URLSearchParams({ name })}`
    const see = () => this.#get(path, { purpose: 'show a registered model' })
    if ((await this.#orNull(see(), 'RESOURCE_DOES_NOT_EXIST', FORBIDDEN)) !== null) return
    const made = this.#post('/registered-models/create', { name }, { purpose: 'make a registered model' })
    if ((await this.#orNull(made, 'RESOURCE_ALREADY_EXISTS')) === null) await see()
  }

  /** The version of a run: made, or found where the answer to a former try was lost. */
  async createVersion(version: NewVersion): Promise<MlflowVersion> {
    try {
      const options = { purpose: 'make a model version', isOnce: true }
      const answer = await this.#post<{ model_version: MlflowVersion }>(
        '/model-versions/create',
        version,
        options,
      )
      return answer.model_version
    } catch (error) {
      if (!(error instanceof ArusError) || error.code !== 'ENGINE_UNREACHABLE') throw error
      const made = await this.#searchVersions(`run_id='${version.run_id}'`)
      if (made[0] === undefined) throw error
      return made[0]
    }
  }

  /** All versions of a registered model, newest first; none where it does not exist. */
  versions(name: string): Promise<MlflowVersion[]> {
    return this.#searchVersions(`name='${name}'`)
  }

  /** Null where there is none. */
  async version(name: string, version: number): Promise<MlflowVersion | null> {
    const path = `/model-versions/get?${new URLSearchParams({ name, version: String(version) })}`
    return this.#versionAt(path, ['RESOURCE_DOES_NOT_EXIST'])
  }

  /** The version that has an alias; null where none has. One request. */
  async aliased(name: string, alias: string, patience: Patience = PATIENT): Promise<MlflowVersion | null> {
    const path = `/registered-models/alias?${new URLSearchParams({ name, alias })}`
    // An alias that is not there is an invalid parameter, to MLflow.
    return this.#versionAt(path, ['RESOURCE_DOES_NOT_EXIST', 'INVALID_PARAMETER_VALUE'], patience)
  }

  async setAlias(name: string, alias: string, version: number): Promise<void> {
    const body = { name, alias, version: String(version) }
    await this.#post('/registered-models/alias', body, { purpose: 'set an alias' })
  }

  async setVersionTag(name: string, version: number, tag: Entry): Promise<void> {
    const body = { name, version: String(version), ...tag }
    await this.#post('/model-versions/set-tag', body, { purpose: 'tag a model version' })
  }

  /** Moves a version to the stage Production and those there to Archived; nothing where the server has no stages any more. */
  async moveToProductionStage(name: string, version: number): Promise<void> {
    const body = { name, version: String(version), stage: 'Production', archive_existing_versions: true }
    try {
      await this.#post('/model-versions/transition-stage', body, {
        purpose: 'move a model version to a stage',
      })
    } catch (error) {
      if (!(error instanceof ArusError) || error.details.status !== 404) throw error
    }
  }

  async #findExperiment(name: string): Promise<string> {
    const parameters = new URLSearchParams({ experiment_name: name })
    const { experiment } = await this.#get<{ experiment: { experiment_id: string } }>(
      `/experiments/get-by-name?${parameters}`,
      { purpose: 'find an experiment' },
    )
    return experiment.experiment_id
  }

  async #versionAt(
    path: string,
    none: readonly string[],
    patience?: Patience,
  ): Promise<MlflowVersion | null> {
    const options = { purpose: 'show a model version', ...(patience === undefined ? {} : { patience }) }
    const asked = this.#get<{ model_version: MlflowVersion }>(path, options)
    return (await this.#orNull(asked, ...none))?.model_version ?? null
  }

  async #searchVersions(filter: string): Promise<MlflowVersion[]> {
    const found: MlflowVersion[] = []
    let pageToken = ''
    do {
      const parameters = new URLSearchParams({
        filter,
        max_results: String(PAGE_SIZE),
        order_by: 'version_number DESC',
        ...(pageToken === '' ? {} : { page_token: pageToken }),
      })
      const page = await this.#get<{ model_versions?: MlflowVersion[]; next_page_token?: string }>(
        `/model-versions/search?${parameters}`,
        { purpose: 'list model versions' },
      )
      found.push(...(page.model_versions ?? []))
      pageToken = page.next_page_token ?? ''
    } while (pageToken !== '')
    return found
  }

  /** Null where MLflow refuses with one of these codes. */
  async #orNull<Answer>(asked: Promise<Answer>, ...codes: readonly string[]): Promise<Answer | null> {
    try {
      return await asked
    } catch (error) {
      if (codes.includes(isForbidden(error) ? FORBIDDEN : (mlflowCode(error) ?? ''))) return null
      throw error
    }
  }

  #get<Answer>(path: string, options: Pick<MlflowRequest, 'purpose' | 'patience'>): Promise<Answer> {
    return askMlflow<Answer>(this.#access, { method: 'GET', path: API + path, ...options })
  }

  #post<Answer = object>(
    path: string,
    json: unknown,
    options: Pick<MlflowRequest, 'purpose' | 'patience' | 'isOnce'>,
  ): Promise<Answer> {
    return askMlflow<Answer>(this.#access, { method: 'POST', path: API + path, json, ...options })
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof ArusError && error.details.status === 403
}

function chunksOf<T>(values: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, n) =>
    values.slice(n * size, (n + 1) * size),
  )
}
