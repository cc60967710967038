import type { PostgresPoolClient, PostgresPool as PostgresPoolPort } from 'kysely'
import { DatabaseError, Pool, type PoolClient, types } from 'pg'
import { ArusError } from '../errors.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** A query that takes longer is on a server that hangs. */
const QUERY_TIMEOUT_MS = 30_000
const BIGINT = types.builtins.INT8

/** SQL states of a server that is there but will not have us; what to look at. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'look at user and password in DATABASE_URL',
  '28000': 'look at user, password and sslmode in DATABASE_URL, and at pg_hba.conf',
  '3D000': 'create the database, or look at its name in DATABASE_URL',
  '42501': 'grant CREATE on the database to the user, or create the schema and make the user its owner',
}

/** SQL states of connection exceptions, insufficient resources and a server that shuts down or starts. */
const AWAY = /^(08|53|57P)/

/**
 * Connections to PostgreSQL, as Kysely wants them. Failures of the connection are told as `ENGINE_UNREACHABLE` and
 * `ENGINE_UNUSABLE`; a connection that failed is not used again, so the pool recovers by itself. bigint comes as number.
 */
export class PostgresPool implements PostgresPoolPort {
  /** For queries that are cancelled, which ours are not. */
  readonly options = {}
  readonly #pool: Pool
  readonly #clients = new WeakMap<PoolClient, PostgresPoolClient>()
  readonly #place: string

  constructor(url: string, connectionsMax: number) {
    this.#place = placeOf(url)
    this.#pool = new Pool({
      connectionString: url,
      max: connectionsMax,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'arus',
      types: {
        getTypeParser: ((oid, format) =>
          oid === BIGINT ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
      },
    })
    // A server that goes away says so on every connection, those nobody uses too; unheard, that would end the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#explained(error)
    })
    const known = this.#clients.get(client)
    if (known !== undefined) return known
    const wrapped = this.#wrapped(client)
    this.#clients.set(client, wrapped)
    return wrapped
  }

  end(): Promise<void> {
    return this.#pool.end()
  }

  #wrapped(client: PoolClient): PostgresPoolClient {
    let isBroken = false
    return {
      // Kysely asks with a text, or with a cursor where answers are streamed, which ours are not.
      query: (async (sql: string, parameters: readonly unknown[]) => {
        try {
          return await client.query(sql, [...parameters])
        } catch (error) {
          isBroken ||= isConnectionLost(error)
          throw this.#explained(error)
        }
      }) as unknown as PostgresPoolClient['query'],
      release: (destroy = false) => client.release(destroy || isBroken),
    }
  }

  #explained(error: unknown): unknown {
    if (isConnectionLost(error)) {
      return new ArusError(
        'ENGINE_UNREACHABLE',
        `PostgreSQL at ${this.#place} does not answer: ${messageOf(error)}. Is it running, and DATABASE_URL right?`,
        { cause: error },
      )
    }
    const advice = error instanceof DatabaseError ? REFUSALS[error.code ?? ''] : undefined
    if (advice === undefined) return error
    return new ArusError('ENGINE_UNUSABLE', `PostgreSQL at ${this.#place}: ${messageOf(error)}; ${advice}`, {
      cause: error,
    })
  }
}

/** True for what the server did not say itself, and for what it says when it goes. */
function isConnectionLost(error: unknown): boolean {
  return !(error instanceof DatabaseError) || AWAY.test(error.code ?? '')
}

/** Node joins the failures of a name's several addresses in an error without a message. */
function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  return first instanceof Error ? first.message : String(first)
}

/** Host, port and database: no secrets. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}
