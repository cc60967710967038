import { Redis } from 'ioredis'
import { StateCodec } from '../apps/arus/src/state/state-codec.ts'
import { openValkeyStateStore } from '../apps/arus/src/state/valkey-state-store.ts'
import { startEngine } from '../engines/start-engine.ts'

const ROUNDS = 7
/** Like the state of a shopper with a few sessions. */
const value = (round: number) => ({
  events: round,
  items: Array.from({ length: 12 }, (_, i) => [`B${i}`, 1, round]),
})

/**
 * Commits and reads of live state beside a bare client of the same server that packs and unpacks the same values: SET
 * pipelined in MULTI, one MGET. They take turns; every commit is on the disk before it counts.
 */
export async function benchValkey(): Promise<void> {
  await using server = await startEngine('valkey')
  const url = server.environment.REDIS_URL!
  const store = await openValkeyStateStore({ url, shop: 'bench' })
  const raw = new Redis(url)
  const codec = new StateCodec()
  console.log('\nLive state in Valkey, values of some 100 bytes')
  for (const count of [1_000, 10_000]) {
    const keys = Array.from({ length: count }, (_, i) => `live/shopper/${i}`)
    const changesOf = (round: number) => keys.map((key) => ({ key, value: value(round) }))
    const ours = { commit: new Costs(), read: new Costs() }
    const theirs = { commit: new Costs(), read: new Costs() }
    for (let round = 0; round <= ROUNDS; round++) {
      const changes = changesOf(round)
      await ours.commit.of(() => store.commit(changes))
      await theirs.commit.of(async () => {
        const transaction = raw.multi()
        for (const change of changes) transaction.set(`raw:${change.key}`, codec.encode(change)!)
        await transaction.exec()
      })
      await ours.read.of(() => store.getMany(keys))
      await theirs.read.of(async () => {
        const found = await raw.mgetBuffer(keys.map((key) => `raw:${key}`))
        for (const bytes of found) codec.decode(bytes!)
      })
    }
    for (const work of ['commit', 'read'] as const) {
      const [our, their] = [ours[work].median(), theirs[work].median()]
      const perSecond = (ms: number) => Math.round((count / ms) * 1_000).toLocaleString('en')
      console.log(
        `  ${work} of ${count.toLocaleString('en')} values: ${perSecond(our.wallMs)}/s, bare client ${perSecond(their.wallMs)}/s; ` +
          `ratio of time ${(our.wallMs / their.wallMs).toFixed(2)}, of our CPU ${(our.cpuMs / their.cpuMs).toFixed(2)}`,
      )
    }
  }
  raw.disconnect()
  await store.close()
}

/** What some work cost, round by round; the first, which warms up, does not count. */
class Costs {
  readonly #rounds: { readonly wallMs: number; readonly cpuMs: number }[] = []

  async of(work: () => Promise<unknown>): Promise<void> {
    const [startedMs, before] = [performance.now(), process.cpuUsage()]
    await work()
    const { user, system } = process.cpuUsage(before)
    this.#rounds.push({ wallMs: performance.now() - startedMs, cpuMs: (user + system) / 1000 })
  }

  median(): { readonly wallMs: number; readonly cpuMs: number } {
    const rounds = this.#rounds.slice(1)
    return {
      wallMs: median(rounds.map(({ wallMs }) => wallMs)),
      cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
