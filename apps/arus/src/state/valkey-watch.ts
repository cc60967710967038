import { unpack } from 'msgpackr'
import { ValkeyConnection } from './valkey-connection.ts'

/** How often it is looked whether nothing was said because nothing was committed. */
const LOOK_MS = 5_000

interface Watched {
  readonly url: string
  readonly channel: string
  /** The turn that stands in the store now. */
  readonly turn: () => Promise<unknown>
}

/** What a commit says on the channel: the turn before it, its own, and the names of turn and keys. */
type Message = readonly [before: string, after: string, names: readonly string[]]

/**
 * Calls back with the names of the keys of each commit, in order; with null where the turns do not follow on one another, so that some commit
 * was not heard of, or the store went back. Returns the way to stop.
 */
export async function watchCommits(
  { url, channel, turn }: Watched,
  onCommit: (names: readonly string[] | null) => void,
): Promise<() => void> {
  const connection = await ValkeyConnection.open(url)
  let last: unknown = null
  let heard = 0
  const onMessage = (bytes: Buffer) => {
    heard += 1
    const [before, after, names] = unpack(bytes) as Message
    if (after === last && before !== last) return
    const isNext = before === last
    last = after
    onCommit(isNext ? names.slice(1) : null)
  }
  const onAgain = () => {
    last = null
    onCommit(null)
  }
  try {
    await connection.subscribe(channel, { onMessage, onAgain })
    last = (await turn()) ?? ''
  } catch (error) {
    connection.close()
    throw error
  }
  const look = async () => {
    const before = heard
    await connection.send('PING')
    const now = await turn()
    // What was said before the turn was asked for is here by the reply to another.
    await connection.send('PING')
    if (heard === before && now !== (last ?? now)) connection.reconnect()
  }
  const timer = setInterval(() => void look().catch(() => connection.reconnect()), LOOK_MS)
  return () => {
    clearInterval(timer)
    connection.close()
  }
}
