import { once } from 'node:events'
import { createServer } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { batchOf, connect, type SparkSession, structOf } from '../src/index.ts'
import { streamOf } from '../src/local-data.ts'
import { FakeServer, type Fault } from './fake-server.ts'

const schema = structOf({ id: 'long' })
const retry = { initialBackoffMs: 1, maxBackoffMs: 5 }

/** An answer of one row. */
function rowAnswer(id: number) {
  const data = streamOf(batchOf([{ id }], schema))
  return { case: 'arrowBatch' as const, value: { rowCount: 1n, startOffset: BigInt(id), data } }
}

let server: FakeServer
let session: SparkSession
beforeEach(async () => {
  server = await FakeServer.start()
  session = await connect(server.remote, { retry })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await session.stop()
  await server[Symbol.asyncDispose]()
})

async function idsOf(rows = session.range(0, 1).rows()): Promise<number[]> {
  const ids: number[] = []
  for await (const row of rows) ids.push(Number(row.id))
  return ids
}

describe('an operation outlives its connection', () => {
  test('whatever breaks, each answer comes once, in order, and the plan is started once', async () => {
    const fault: fc.Arbitrary<Fault> = fc.oneof(
      fc.record({ kind: fc.constant('cut' as const), after: fc.nat(4) }),
      fc.record({ kind: fc.constant('end' as const), after: fc.nat(4) }),
      fc.constant({ kind: 'lost' as const }),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.array(fault, { maxLength: 4 }), async (count, faults) => {
        server.answers = Array.from({ length: count }, (_, id) => rowAnswer(id))
        server.faults.splice(0, Number.POSITIVE_INFINITY, ...faults)
        server.startCount = 0
        expect(await idsOf()).toEqual(Array.from({ length: count }, (_, id) => id))
        expect(server.startCount).toBe(1)
      }),
      { numRuns: 40 },
    )
  })

  test('an operation that a restarted server forgot is told as lost, not started again', async () => {
    server.answers = [rowAnswer(0), rowAnswer(1), rowAnswer(2)]
    server.faults.push({ kind: 'restart', after: 2 })
    await expect(idsOf()).rejects.toMatchObject({ code: 'SPARK_OPERATION_LOST' })
    expect(server.startCount).toBe(1)
  })

  test('a server that does not come back is told as unreachable after the tries', async () => {
    server.answers = [rowAnswer(0), rowAnswer(1)]
    server.faults.push(...Array.from({ length: 30 }, (): Fault => ({ kind: 'cut', after: 0 })))
    await expect(idsOf()).rejects.toMatchObject({ code: 'SPARK_UNREACHABLE', canRetry: true })
    expect(server.calls.filter((call) => call === 'reattach')).toHaveLength(9)
  })

  test('a finished operation is released', async () => {
    server.answers = [rowAnswer(0)]
    expect(await idsOf()).toEqual([0])
    await expect.poll(() => server.operations.size).toBe(0)
  })
})

describe('stopping early', () => {
  test('leaving the loop releases the operation', async () => {
    server.answers = [rowAnswer(0), rowAnswer(1), rowAnswer(2)]
    for await (const row of session.range(0, 1).rows()) {
      expect(row).toEqual({ id: 0n })
      break
    }
    expect(server.operations.size).toBe(0)
  })

  test('aborting interrupts the operation and throws the reason', async () => {
    server.answers = [rowAnswer(0), rowAnswer(1), rowAnswer(2)]
    const controller = new AbortController()
    const rows = session.range(0, 1).rows({ signal: controller.signal })
    await rows.next()
    controller.abort(new Error('enough'))
    await expect(rows.next()).rejects.toThrow('enough')
    expect(server.calls).toEqual(['execute', 'interrupt', 'releaseAll'])
  })

  test('a signal that is aborted already starts nothing', async () => {
    await expect(session.range(0, 1).collect({ signal: AbortSignal.abort() })).rejects.toThrow()
    expect(server.calls).toEqual([])
  })
})

describe('answers', () => {
  test('a slow reader holds the server back', async () => {
    // The fake's adapter logs the write that leaving interrupts.
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const data = streamOf(batchOf([{ id: 0 }], schema))
    const large = Buffer.concat([data, Buffer.alloc(1_000_000)])
    server.answers = Array.from({ length: 200 }, () => ({
      case: 'arrowBatch' as const,
      value: { rowCount: 1n, data: large },
    }))
    const batches = session.range(0, 1).batches()
    await batches.next()
    await expect
      .poll(async () => {
        const before = server.sentCount
        await new Promise((resolve) => setTimeout(resolve, 50))
        return server.sentCount - before
      })
      .toBe(0)
    expect(server.sentCount).toBeLessThan(20)
    await batches.return(undefined)
  })

  test('a batch in parts is put together', async () => {
    const data = streamOf(batchOf([{ id: 7 }], schema))
    const part = (index: number) => ({
      case: 'arrowBatch' as const,
      value: {
        rowCount: 1n,
        chunkIndex: BigInt(index),
        numChunksInBatch: 3n,
        data: data.subarray(index * 100, index === 2 ? undefined : (index + 1) * 100),
      },
    })
    server.answers = [part(0), part(1), part(2)]
    expect(await idsOf()).toEqual([7])
    server.answers = [part(0), part(2)]
    await expect(idsOf()).rejects.toMatchObject({ code: 'SPARK_PROTOCOL' })
    server.answers = [part(0)]
    await expect(idsOf()).rejects.toMatchObject({ code: 'SPARK_PROTOCOL' })
  })

  test.each([
    [{ ...rowAnswer(0).value, rowCount: 2n }, 'rows has 1'],
    [{ ...rowAnswer(0).value, startOffset: 5n }, 'Row 5 came'],
    [{ ...rowAnswer(0).value, data: new Uint8Array([1, 2, 3]) }, 'rows has 0'],
  ])('an answer that contradicts itself is refused (%#)', async (value, message) => {
    server.answers = [{ case: 'arrowBatch', value }]
    const failed = expect(idsOf()).rejects
    await failed.toMatchObject({ code: 'SPARK_PROTOCOL', message: expect.stringContaining(message) })
  })

  test('progress is told and is no answer', async () => {
    const stage = { stageId: 1n, numTasks: 4n, numCompletedTasks: 1n, inputBytesRead: 10n }
    const value = { stages: [stage, stage], numInflightTasks: 2n }
    server.answers = [{ case: 'executionProgress', value }, rowAnswer(0)]
    const seen: unknown[] = []
    expect(await idsOf(session.range(0, 1).rows({ onProgress: (p) => seen.push(p) }))).toEqual([0])
    expect(seen).toEqual([{ taskCount: 8, completedTaskCount: 2, inflightTaskCount: 2, inputBytesRead: 20 }])
  })

  test('the error of the server is not tried again', async () => {
    server.faults.push({ kind: 'error', errorClass: 'DIVIDE_BY_ZERO' })
    await expect(idsOf()).rejects.toMatchObject({ code: 'SPARK_FAILED', errorClass: 'DIVIDE_BY_ZERO' })
    expect(server.calls).toEqual(['execute', 'releaseAll'])
  })
})

describe('connecting', () => {
  test('a wrong token', async () => {
    server.token = 'right'
    await expect(connect(`sc://127.0.0.1:${server.port}/;token=wrong`)).rejects.toMatchObject({
      code: 'SPARK_UNAUTHENTICATED',
    })
    const right = await connect(server.remote)
    await right.stop()
  })

  test('a port where nobody listens, and a host that is none', async () => {
    await expect(connect('sc://127.0.0.1:1')).rejects.toMatchObject({
      code: 'SPARK_UNREACHABLE',
      message: expect.stringContaining('127.0.0.1:1: '),
    })
    await expect(connect('sc://no-such-host.invalid')).rejects.toMatchObject({ code: 'SPARK_UNREACHABLE' })
  })

  test('a server that takes the connection and says nothing', async () => {
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as { port: number }
    const attempt = connect(`sc://127.0.0.1:${port}`, { connectTimeoutMs: 200 })
    await expect(attempt).rejects.toMatchObject({ code: 'SPARK_UNREACHABLE' })
    mute.close()
  })

  test('a server that speaks something else', async () => {
    const other = createServer((socket) =>
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    )
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(connect(`sc://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'SPARK_UNREACHABLE' })
    other.close()
  })

  test('an old server', async () => {
    server.version = '3.5.6'
    await expect(connect(server.remote)).rejects.toMatchObject({ code: 'SPARK_SERVER_UNSUPPORTED' })
  })

  test('a session that was stopped refuses', async () => {
    await session.stop()
    await session.stop()
    await expect(session.version()).rejects.toMatchObject({ code: 'SPARK_SESSION_CLOSED' })
    await expect(session.range(0, 1).collect()).rejects.toMatchObject({ code: 'SPARK_SESSION_CLOSED' })
  })
})
