import {
  connect,
  DEFAULT_RETRY_POLICY,
  type RetryPolicy,
  SparkError,
  type SparkSession,
} from '@arus/spark-connect'
import { type SparkSettings, sparkAddress } from '../config/spark-settings.ts'
import { ArusError } from '../errors.ts'

/** Spark, for whoever computes on it: one session of a process, made when it is first asked for. */
export interface SparkCompute {
  /** For people: without the token. */
  readonly address: string
  /**
   * The session, set up for Arus's tables; made anew where the server has lost the one before. Throws `ENGINE_UNREACHABLE`,
   * `ENGINE_UNUSABLE`.
   */
  session(): Promise<SparkSession>
  /** Throws what is wrong, in words of what to do, when Spark does not answer now. */
  check(): Promise<void>
  close(): Promise<void>
}

/** What Arus rests on in every session. */
const SESSION = {
  'spark.sql.session.timeZone': 'UTC',
  // The log of a table is read in so many tasks; Delta's 50 cost seconds where tables are small.
  'spark.databricks.delta.snapshotPartitions': 4,
  // As Delta's protocol wants it; Spark's own default is a form that other readers take for nanoseconds.
  'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS',
  // A write that was made under a name and number is not made twice; each names its own.
  'spark.databricks.delta.write.txnVersion.autoReset.enabled': true,
}
const DELTA_EXTENSION = 'io.delta.sql.DeltaSparkSessionExtension'
const ANSWER_MS = 10_000

/** Nothing is asked of the server before a session is wanted. */
export function openSparkCompute(settings: SparkSettings): SparkCompute {
  const address = sparkAddress(settings)
  let opening: Promise<SparkSession> | null = null

  async function open(): Promise<SparkSession> {
    const session = await connect(settings.remote, { userAgent: 'arus', connectTimeoutMs: ANSWER_MS }).catch(
      (error: unknown) => {
        throw asEngineError(error, address)
      },
    )
    try {
      await prepare(session, address)
      return session
    } catch (error) {
      await session.stop()
      throw asEngineError(error, address)
    }
  }

  async function session(): Promise<SparkSession> {
    const last = opening
    if (last !== null && (await isAlive(last, address))) return last
    // Who comes while another makes it waits for that one.
    if (opening === last) opening = open()
    const mine = opening as Promise<SparkSession>
    try {
      return await mine
    } catch (error) {
      if (opening === mine) opening = null
      throw error
    }
  }

  return {
    address,
    session,
    async check() {
      await session()
    },
    async close() {
      const last = opening
      opening = null
      await last?.then(
        (open) => open.stop(),
        () => {},
      )
    },
  }
}

/** A server that was restarted does not know the session; one that is away may know it still, which is an error for now. */
async function isAlive(opening: Promise<SparkSession>, address: string): Promise<boolean> {
  const session = await opening
  try {
    const question = { case: 'sparkVersion', value: {} } as const
    await session.client.analyze(question, { signal: AbortSignal.timeout(ANSWER_MS), retry: NO_RETRY })
    return true
  } catch (error) {
    if (error instanceof SparkError && LOST.has(error.code)) return false
    throw asEngineError(error, address)
  }
}

const NO_RETRY: RetryPolicy = { ...DEFAULT_RETRY_POLICY, maxRetries: 0 }
const LOST: ReadonlySet<string> = new Set(['SPARK_SESSION_LOST', 'SPARK_SESSION_CLOSED'])

async function prepare(session: SparkSession, address: string): Promise<void> {
  const extensions = await session.conf.getOr('spark.sql.extensions', '')
  if (!extensions.includes(DELTA_EXTENSION))
    throw new ArusError(
      'ENGINE_UNUSABLE',
      `The Spark at ${address} does not know Delta tables: start it with delta-spark and spark.sql.extensions=${DELTA_EXTENSION}`,
    )
  await session.conf.set(SESSION)
}

function asEngineError(error: unknown, address: string): unknown {
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return new ArusError(
      'ENGINE_UNREACHABLE',
      `Spark at ${address} did not answer within ${ANSWER_MS / 1000} s (SPARK_REMOTE)`,
    )
  if (!(error instanceof SparkError)) return error
  const isAway = error.code === 'SPARK_UNREACHABLE'
  return new ArusError(
    isAway ? 'ENGINE_UNREACHABLE' : 'ENGINE_UNUSABLE',
    `Spark at ${address}: ${error.message}. ${error.advice} (SPARK_REMOTE)`,
    { cause: error },
  )
}
