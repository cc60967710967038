import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a whole process cost. */
export interface ProcessCost {
  readonly wallSeconds: number
  /** User and system time of the process and of the children it waited for; resolution 10 ms. */
  readonly cpuSeconds: number
  readonly peakMemoryBytes: number
  /** The most that was seen of memory that is no file's: without code, and pages of files that the system can drop. */
  readonly peakAnonymousBytes: number
  readonly output: string
}

const TICKS_PER_SECOND = 100
const POLL_MS = 20

/**
 * Runs a command to its end and measures it (Linux: CPU time from the parent's `cutime`/`cstime`, memory as the highest
 * `VmHWM` and `RssAnon` seen). Throws when it fails. Runs must not overlap.
 */
export async function measureProcess(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<ProcessCost> {
  const cpuBefore = childrenCpuSeconds()
  const startedAt = performance.now()
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000)
  })
  let peakMemoryBytes = 0
  let peakAnonymousBytes = 0
  const poll = setInterval(() => {
    if (child.pid === undefined) return
    const { highest, anonymous } = memoryOf(child.pid)
    peakMemoryBytes = Math.max(peakMemoryBytes, highest)
    peakAnonymousBytes = Math.max(peakAnonymousBytes, anonymous)
  }, POLL_MS)
  const [status] = (await once(child, 'close')) as [number | null]
  clearInterval(poll)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${status}:\n${errors}`)
  return {
    wallSeconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: childrenCpuSeconds() - cpuBefore,
    peakMemoryBytes,
    peakAnonymousBytes,
    output,
  }
}

/**
 * As `measureProcess`, a script of `peers/` in Python (`ARUS_PYTHON`, or `python3`). Null where that Python lacks one of the packages, after
 * a line that says what to do.
 */
export async function measurePythonPeer(
  script: string,
  args: readonly string[],
  packages: readonly string[],
): Promise<ProcessCost | null> {
  const python = process.env.ARUS_PYTHON ?? 'python3'
  if (spawnSync(python, ['-c', `import ${packages.join(', ')}`]).status === 0)
    return measureProcess(python, [join(import.meta.dirname, 'peers', script), ...args])
  const names = packages.join(' ')
  console.log(
    `\nWithout the other side of ${script}: ${python} has not all of ${names}. "pip install ${names}"; ARUS_PYTHON names another Python.`,
  )
  return null
}

/** One line of a benchmark: ours, the other side's, the ratio and the budget it is held against. */
export interface Comparison {
  readonly what: string
  readonly ours: number
  /** Null where it could not run. */
  readonly theirs: number | null | undefined
  readonly unit: string
  readonly budget: string
}

export function printComparisons(title: string, comparisons: readonly Comparison[]): void {
  console.log(`\n${title}`)
  for (const { what, ours, theirs, unit, budget } of comparisons) {
    const beside =
      theirs === null || theirs === undefined
        ? ''
        : `, theirs ${format(theirs)} ${unit}, ratio ${(ours / theirs).toFixed(2)}`
    console.log(`  ${what.padEnd(44)} ours ${format(ours)} ${unit}${beside}  (budget: ${budget})`)
  }
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}

function childrenCpuSeconds(): number {
  const fields = statOf('self')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

/** User and system time of a running process so far; resolution 10 ms. */
export function cpuSecondsOf(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Fields of `/proc/PID/stat` from the third. */
function statOf(pid: number | 'self'): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
}

function memoryOf(pid: number): { readonly highest: number; readonly anonymous: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const bytes = (line: RegExp) => Number(line.exec(status)?.[1] ?? 0) * 1024
    return { highest: bytes(/VmHWM:\s+(\d+)/), anonymous: bytes(/RssAnon:\s+(\d+)/) }
  } catch {
    return { highest: 0, anonymous: 0 }
  }
}
