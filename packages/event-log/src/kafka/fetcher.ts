import {
  type Admin,
  type Connection,
  FetchIsolationLevels,
  fetchV13,
  fetchV14,
  fetchV15,
  fetchV16,
  fetchV17,
  protocolErrorsCodesById,
} from '@platformatic/kafka'
import { EventLogError } from '../errors.ts'
import type { LogEntry } from '../event-log.ts'
import { entriesOf } from './fetch-response.ts'

/** The newest first. Before version 13 (Kafka 3.1) topics had no identity beside their name. */
const FETCH_APIS = [fetchV17.api, fetchV16.api, fetchV15.api, fetchV14.api, fetchV13.api] as const
const FETCH_KEY = 1
/** Of one answer, all partitions together; and of one partition. A larger batch comes whole. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
const PARTITION_BYTES_MAX = 1024 * 1024
/** A fetch that is not part of a session: several may be under way, and each names all it wants. */
const NO_SESSION = { id: 0, epoch: -1 } as const

export interface FetchRequest {
  readonly topic: string
  /** Of the broker that leads these partitions. */
  readonly node: number
  /** Offset to begin at, by partition. */
  readonly from: ReadonlyMap<number, number>
  /** How long the broker waits when it has nothing. */
  readonly waitMs: number
  /** Bytes of a partition, about; at most, and by default, 1 MB. */
  readonly partitionBytes?: number
}

/** What a fetch brought of one partition. */
export interface FetchedPartition {
  readonly partition: number
  readonly fromOffset: number
  readonly entries: LogEntry[]
  /** The offset to fetch from next: beyond gaps at the end. */
  readonly nextOffset: number
  /** Offset behind the last entry that is committed; what comes after is not shown yet. */
  readonly endOffset: number
  /** Name of the broker's error, or null. */
  readonly error: string | null
}

type FetchApi = (typeof FETCH_APIS)[number]
type FetchResponse = fetchV17.FetchResponse

/** Fetches committed records straight from the brokers that lead their partitions. */
export class Fetcher {
  readonly #client: Admin
  #api: Promise<FetchApi> | null = null

  constructor(client: Admin) {
    this.#client = client
  }

  /** Partitions of a topic by the broker that leads them, as far as is known. */
  async leaders(topic: string): Promise<Map<number, number[]>> {
    const { topics } = await this.#client.metadata({ topics: [topic] })
    const leaders = new Map<number, number[]>()
    for (const [partition, { leader }] of (topics.get(topic)?.partitions ?? []).entries())
      leaders.set(leader, [...(leaders.get(leader) ?? []), partition])
    return leaders
  }

  /** Asks anew who leads what. */
  forgetLeaders(): void {
    this.#client.clearMetadata()
  }

  /** One fetch. What is wrong with a partition stands in it; throws what concerns them all. */
  async fetch({ topic, node, from, waitMs, partitionBytes }: FetchRequest): Promise<FetchedPartition[]> {
    this.#api ??= this.#newestApi()
    const api = await this.#api.catch((error: unknown) => {
      this.#api = null
      throw error
    })
    const { topics } = await this.#client.metadata({ topics: [topic] })
    const topicId = topics.get(topic)?.id ?? ''
    const connection = await this.#connectionTo(node)
    const partitions = [...from].map(([partition, fromOffset]) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(fromOffset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: Math.min(PARTITION_BYTES_MAX, partitionBytes ?? PARTITION_BYTES_MAX),
    }))
    const answer = await api
      .async(
        connection,
        waitMs,
        1,
        ANSWER_BYTES_MAX,
        FetchIsolationLevels.READ_COMMITTED,
        NO_SESSION.id,
        NO_SESSION.epoch,
        [{ topicId, partitions }],
        [],
        '',
      )
      .catch(answerDespite)
    return answer.responses.flatMap((response) =>
      response.partitions.map((fetched) => partitionOf(fetched, from.get(fetched.partitionIndex) ?? 0)),
    )
  }

  async #connectionTo(node: number): Promise<Connection> {
    const connection = (await this.#client.connectToBrokers([node])).get(node)
    if (connection !== undefined) return connection
    throw new EventLogError('LOG_UNAVAILABLE', `Kafka, fetching: broker ${node} is not there`)
  }

  async #newestApi(): Promise<FetchApi> {
    const served = (await this.#client.listApis()).find(({ apiKey }) => apiKey === FETCH_KEY)
    const api = FETCH_APIS.find(
      ({ version }) => served !== undefined && version >= served.minVersion && version <= served.maxVersion,
    )
    if (api !== undefined) return api
    throw new EventLogError(
      'LOG_VERSION_UNSUPPORTED',
      `Kafka serves Fetch up to version ${served?.maxVersion ?? 'none'}, and 13 is needed: Kafka 3.1 or newer`,
    )
  }
}

/** The library throws when one partition has an error; the answer with the others is inside. */
function answerDespite(error: unknown): FetchResponse {
  const { response } = error as { readonly response?: FetchResponse }
  if (response === undefined || response.errorCode !== 0) throw error
  return response
}

function partitionOf(
  fetched: FetchResponse['responses'][number]['partitions'][number],
  fromOffset: number,
): FetchedPartition {
  const { partitionIndex: partition, errorCode, lastStableOffset } = fetched
  const error = errorCode === 0 ? null : errorName(errorCode)
  const { entries, nextOffset } =
    error === null ? entriesOf(fetched, fromOffset) : { entries: [], nextOffset: fromOffset }
  return { partition, fromOffset, entries, nextOffset, endOffset: Number(lastStableOffset), error }
}

function errorName(code: number): string {
  const names: Readonly<Record<number, string>> = protocolErrorsCodesById
  return names[code] ?? `error ${code}`
}
