import { ArusError } from '../errors.ts'
import { codeOf, type ValkeyConnection } from './valkey-connection.ts'

/** The oldest that is tried. Valkey tells the version of Redis it began with. */
const OLDEST = [6, 2] as const
const SYNC_ALWAYS = 'appendonly yes and appendfsync always'

/** How a commit is known to be on the disk. */
export interface ServerCheck {
  /** By asking: WAITAOF. Otherwise the server syncs before it answers. */
  readonly hasWaitAof: boolean
  /** What could not be looked at, and what to make sure of; null when all is known. */
  readonly warning: string | null
}

/**
 * Makes sure that a server keeps what it acknowledged and throws nothing away by itself. Throws `ENGINE_UNUSABLE` saying
 * what to set.
 */
export async function checkServer(connection: ValkeyConnection): Promise<ServerCheck> {
  const info = await infoOf(connection)
  const version = info.get('redis_version') ?? 'unknown'
  if (isOlder(version)) throw unusable(`version ${OLDEST.join('.')} or newer is needed, found ${version}`)
  if (info.get('cluster_enabled') === '1')
    throw unusable('cluster mode is not supported; give the address of one server or of its failover')
  const policy = info.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction')
    throw unusable(`maxmemory-policy is ${policy}, which throws live state away; set it to noeviction`)
  if (info.get('aof_enabled') === '0')
    throw unusable(`it keeps nothing when it is killed; set ${SYNC_ALWAYS}`)
  if (await answers(connection, 'WAITAOF', ['1', '0', '1000'])) return { hasWaitAof: true, warning: null }
  const config = await answers(connection, 'CONFIG', ['GET', 'appendfsync'])
  const setting = Array.isArray(config) ? String(config[1]) : null
  if (setting === 'always') return { hasWaitAof: false, warning: null }
  if (setting !== null)
    throw unusable(`appendfsync is ${setting}: set ${SYNC_ALWAYS}, or take Redis 7.2, Valkey 7.2 or newer`)
  const warning = `Valkey may be asked neither WAITAOF nor CONFIG; make sure that it has ${SYNC_ALWAYS}`
  return { hasWaitAof: false, warning }
}

/** Lines of INFO, by name. */
export async function infoOf(connection: ValkeyConnection): Promise<ReadonlyMap<string, string>> {
  const text = String(await connection.send('INFO'))
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  )
}

/** The reply; null when the server does not know the command or does not let us. */
export async function answers(
  connection: ValkeyConnection,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  return connection.send(name, args).catch((error: unknown) => {
    const cause = error instanceof ArusError ? error.cause : error
    if (codeOf(cause) === null) throw error
    return null
  })
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}

function unusable(what: string): ArusError {
  return new ArusError('ENGINE_UNUSABLE', `REDIS_URL: ${what}`)
}
