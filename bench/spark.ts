import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { startEngine } from '../engines/start-engine.ts'
import { connect, type SparkSession } from '../packages/spark-connect/src/index.ts'
import { type Comparison, printComparisons } from './measure.ts'

const ROUNDS = 5

type Form = 'arrow' | 'rows' | 'pandas'

interface Fetch {
  readonly rows: number
  readonly wall_seconds: number
  readonly cpu_seconds: number
}

/**
 * Fetching a million rows of five columns from one Spark Connect server: `packages/spark-connect` against PySpark's Connect
 * client, taking turns, each in a process that stays warm. Medians of CPU time of the client, and of the wall clock, which
 * holds the server's work too. PySpark 4.2.1 with its `[connect]` extra is needed: `SPARK_PEER_PYTHON` names its Python.
 */
export async function benchSpark({ rowCount }: { readonly rowCount: number }): Promise<void> {
  const python = process.env.SPARK_PEER_PYTHON
  if (python === undefined) {
    console.log('\nspark: set SPARK_PEER_PYTHON to a Python that has pyspark[connect]==4.2.1')
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-spark-'))
  await using engine = await startEngine('spark', { log: (line) => console.error(line) })
  const remote = engine.environment.SPARK_REMOTE!
  await using session = await connect(remote)
  // PySpark sends a token without TLS to a host of this name alone.
  using peer = new Peer(python, remote.replace('127.0.0.1', 'localhost'))
  try {
    const path = join(folder, 'rows')
    const columns = [
      "concat('product ', id) AS name",
      'id * 0.01D AS price',
      'timestamp_seconds(id) AS at',
      'id % 7 = 0 AS sold',
    ]
    await session
      .range(0, rowCount)
      .selectExpr('id', ...columns)
      .write.format('parquet')
      .save(path)
    const comparisons: Comparison[] = []
    for (const [ours, theirs] of [
      ['arrow', 'arrow'],
      ['rows', 'rows'],
      ['arrow', 'pandas'],
    ] as const)
      comparisons.push(
        ...(await compare(
          () => fetchOurs(session, path, ours),
          () => peer.fetch(path, theirs),
          `${ours} against ${theirs}`,
          rowCount,
        )),
      )
    printComparisons(
      `spark: ${rowCount.toLocaleString('en')} rows from Spark Connect, beside PySpark`,
      comparisons,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function compare(
  ours: () => Promise<Fetch>,
  theirs: () => Promise<Fetch>,
  what: string,
  rowCount: number,
): Promise<Comparison[]> {
  const fetches: [Fetch, Fetch][] = []
  // The first is a warm-up.
  for (let round = 0; round <= ROUNDS; round++) {
    const second = round % 2 === 0 ? null : await theirs()
    const first = await ours()
    fetches.push([first, second ?? (await theirs())])
  }
  assert(fetches.flat().every(({ rows }) => rows === rowCount))
  const median = (side: 0 | 1, figure: 'wall_seconds' | 'cpu_seconds') =>
    fetches
      .slice(1)
      .map((pair) => pair[side][figure])
      .sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  return (['cpu_seconds', 'wall_seconds'] as const).map((figure) => ({
    what: `${what}, ${figure === 'cpu_seconds' ? 'CPU of the client' : 'wall clock'}`,
    ours: median(0, figure),
    theirs: median(1, figure),
    unit: 's',
    budget: '≤ 1.5 ×',
  }))
}

async function fetchOurs(session: SparkSession, path: string, form: 'arrow' | 'rows'): Promise<Fetch> {
  const frame = session.read.format('parquet').load(path)
  const [wall, cpu] = [performance.now(), process.cpuUsage()]
  const rows = form === 'arrow' ? (await frame.toArrow()).numRows : (await frame.collect()).length
  const { user, system } = process.cpuUsage(cpu)
  return { rows, wall_seconds: (performance.now() - wall) / 1000, cpu_seconds: (user + system) / 1e6 }
}

/** The process of PySpark. */
class Peer implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>

  constructor(python: string, remote: string) {
    const script = join(import.meta.dirname, 'peers', 'spark_pyspark.py')
    this.#child = spawn(python, [script, remote], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async fetch(path: string, form: Form): Promise<Fetch> {
    this.#child.stdin.write(`${JSON.stringify({ path, form })}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('PySpark’s process ended')
    return JSON.parse(value) as Fetch
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}
