import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isTemporary, LocalStorage } from '../../src/index.ts'
import { type AppendRecord, createLogTable, judge, openLogTable, type Verdict } from './append-loop.ts'
import { WriterProcess } from './writer-process.ts'

/** A step of an append, as the kernel sees it. */
export const STEPS = ['write', 'fsync', 'link', 'unlink', 'mkdir'] as const
export type Step = (typeof STEPS)[number]

/** Steps without which a commit must not be acknowledged. (A temporary file that stays is no harm, a folder is there.) */
const NEEDED_STEPS: ReadonlySet<Step> = new Set(['write', 'fsync', 'link'])

/** What a writer's appends came to when one of its system calls failed. */
export interface IoErrorCase {
  readonly step: Step
  /** Which call of its thread failed, from 1; `isPersistent` when all after it failed as well. */
  readonly index: number
  readonly isPersistent: boolean
  /** Calls on the table's files that failed because they were told to. */
  readonly hits: readonly string[]
  /** The appends they belong to, those told of. */
  readonly hitIds: readonly string[]
  readonly records: readonly AppendRecord[]
  readonly verdict: Verdict
  /** Of the table as another process opens it afterwards. */
  readonly versionAfter: number
  readonly temporaryFilesAfter: readonly string[]
}

const SYSTEM_CALLS: Readonly<Record<Step, readonly string[]>> = {
  write: ['write', 'pwrite64', 'writev', 'pwritev'],
  fsync: ['fsync', 'fdatasync'],
  link: ['link', 'linkat'],
  unlink: ['unlink', 'unlinkat'],
  mkdir: ['mkdir', 'mkdirat'],
}
const APPENDS = 3
/** Wake-ups between threads are writes too, and their number varies, most on a machine that is busy. */
const ATTEMPTS_MAX = 20

/** Why system calls cannot be made to fail here; null when they can. */
export function whyNoInjection(): string | null {
  const found = spawnSync('strace', ['-f', '-e', 'inject=fsync:error=EIO:when=1', 'true'], {
    encoding: 'utf8',
  })
  if (found.error) return 'strace is not installed'
  return found.status === 0 ? null : `strace says: ${found.stderr.split('\n')[0]}`
}

/** True when no append was acknowledged that missed a step it needs, and none failed for a step it does not need. */
export function isHonest({ step, records, hitIds }: IoErrorCase): boolean {
  const isAcknowledged = (record: AppendRecord) => typeof record.outcome === 'number'
  if (!NEEDED_STEPS.has(step)) return records.length === APPENDS && records.every(isAcknowledged)
  return !records.some((record) => isAcknowledged(record) && hitIds.includes(record.id))
}

/**
 * Numbers of the calls of a step that a writer of three appends makes on its table's files (for writes: the commits'), by
 * which `failCall` names them. All file calls of the writer come from one thread, and strace counts per thread.
 */
export async function callsOf(step: Step): Promise<number[]> {
  const { trace, root } = await runWriter(step)
  return callsOnFiles(trace, root, step)
}

function callsOnFiles(trace: readonly string[], root: string, step: Step): number[] {
  const counts = new Map<string, number>()
  return trace.flatMap((line) => {
    const [thread = '', call = ''] = line.split(/[\s(]+/)
    if (!SYSTEM_CALLS[step].includes(call)) return []
    const index = (counts.get(thread) ?? 0) + 1
    counts.set(thread, index)
    return line.includes(root) && (step !== 'write' || line.includes('.tmp-')) ? [index] : []
  })
}

/**
 * Runs the writer with one call failing with EIO, alone or with all after it. Other threads' calls of the same number fail
 * too, and the number shifts with the wake-ups between threads: after a run that missed the table's files the next one
 * takes the number that the call had in it. Null when none met them.
 */
export async function failCall(
  step: Step,
  index: number,
  isPersistent: boolean,
): Promise<IoErrorCase | null> {
  let at = index
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const { trace, root, ...found } = await runWriter(step, `${at}${isPersistent ? '+' : ''}`)
    const hits = trace.filter((line) => line.includes('INJECTED') && line.includes(root))
    if (hits.length > 0) return { step, index, isPersistent, hits, hitIds: idsHit(trace, root), ...found }
    const calls = callsOnFiles(trace, root, step).sort((a, b) => Math.abs(a - index) - Math.abs(b - index))
    at = calls[0] ?? index
  }
  return null
}

/** Appends during which a call on the table's files failed: the next that the writer spoke of. */
function idsHit(trace: readonly string[], root: string): string[] {
  const ids = new Set<string>()
  let isHit = false
  for (const line of trace) {
    if (line.includes('INJECTED') && line.includes(root)) isHit = true
    const told = /write\(1<[^"]*"([^" ]+) /.exec(line)?.[1]
    if (told === undefined) continue
    if (isHit) ids.add(told)
    isHit = false
  }
  return [...ids]
}

/** Runs the writer under strace on a new table, and looks at the table from another process after that. */
async function runWriter(step: Step, when?: string) {
  const calls = SYSTEM_CALLS[step].map((call) => `?${call}`)
  const injection = when === undefined ? [] : ['-e', `inject=${calls}:error=EIO:when=${when}`]
  const root = mkdtempSync(join(tmpdir(), 'arus-io-'))
  const log = `${root}.strace`
  const storage = new LocalStorage(root)
  try {
    await createLogTable(storage)
    const writer = new WriterProcess({
      root,
      name: 'w',
      count: APPENDS,
      under: ['strace', '-f', '-y', '-qq', '-o', log, '-e', `trace=?write,${calls}`, ...injection],
      environment: { UV_THREADPOOL_SIZE: '1' },
    })
    await writer.ended()
    const snapshot = await (await openLogTable(storage)).snapshot()
    return {
      root,
      trace: readFileSync(log, 'utf8').split('\n'),
      records: writer.records,
      verdict: await judge(storage, writer.records),
      versionAfter: snapshot.version,
      temporaryFilesAfter: readdirSync(join(root, '_delta_log')).filter(isTemporary),
    }
  } finally {
    rmSync(root, { recursive: true })
    rmSync(log, { force: true })
  }
}
