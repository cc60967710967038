/** The process a stranger's SQL runs in: one query at a time, on a database of its own that is locked to that query's files. */
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { ArusError, type ErrorCode } from '../../errors.ts'
import { encodeFrame } from './frames.ts'
import type { PlanRequest, RunRequest, SandboxMessage, SandboxRequest, SandboxSetup } from './protocol.ts'
import { QueryRunner } from './query-runner.ts'

/** Where answers go; see `SandboxProcess`. */
const ANSWERS_FD = 3
const MEMORY_CHECK_MS = 50
/** What the process needs beside its database's memory. */
const OVERHEAD_BYTES = 512 * 1024 * 1024

const answers = new Socket({ fd: ANSWERS_FD, readable: false, writable: true })
// Ctrl-C reaches the whole process group: the server decides. Without a server there is nobody to answer.
process.on('SIGINT', () => {})
answers.on('error', end)
const requests = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
requests.on('close', end)

let runner: QueryRunner | null = null
for await (const line of requests) await obey(JSON.parse(line) as SandboxRequest)

/** At once: an orderly exit would wait for the query that is running. */
function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

async function obey(request: SandboxRequest): Promise<void> {
  try {
    if (request.kind === 'setup') await setUp(request)
    else if (request.kind === 'plan') await plan(request)
    else await run(request)
  } catch (error) {
    await say(failureOf(error))
  }
}

async function setUp(setup: SandboxSetup): Promise<void> {
  const most = setup.memoryBytes + OVERHEAD_BYTES
  setInterval(() => {
    if (process.memoryUsage.rss() > most) end()
  }, MEMORY_CHECK_MS).unref()
  runner = await QueryRunner.open(setup)
  await say({ kind: 'ready' })
}

async function plan(request: PlanRequest): Promise<void> {
  if (runner !== null) await say({ kind: 'planned', plan: await runner.plan(request) })
}

async function run(request: RunRequest): Promise<void> {
  if (runner === null) return
  await runner.run(request, {
    head: (head) => say({ kind: 'head', ...head }),
    bytes: (bytes) => write(encodeFrame({ kind: 'data', bytes })),
  })
  await say({ kind: 'end' })
}

function say(message: SandboxMessage): Promise<void> {
  return write(encodeFrame({ kind: 'message', message }))
}

/** Resolves when the server has room for more. */
async function write(bytes: Uint8Array): Promise<void> {
  if (answers.write(bytes)) return
  await new Promise<void>((resolve) => answers.once('drain', () => resolve()))
}

function failureOf(error: unknown): SandboxMessage {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', code: codeOf(error, message), message }
}

/** DuckDB tells kinds of failure only by the first words of its message; it writes nothing but what it has no memory for. */
function codeOf(error: unknown, message: string): ErrorCode {
  if (error instanceof ArusError) return error.code
  return /^(Out of Memory|INTERNAL|FATAL|IO Error: Could not write)/i.test(message) ||
    error instanceof RangeError
    ? 'QUERY_TOO_EXPENSIVE'
    : 'QUERY_INVALID'
}
