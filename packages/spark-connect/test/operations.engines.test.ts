import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { RecordBatch } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, parseConnectionString, type SparkSession } from '../src/index.ts'
import { CuttingProxy } from './cutting-proxy.ts'

const REMOTE = process.env.SPARK_REMOTE!
const { host, port, token } = parseConnectionString(REMOTE)
/** Runs until it is stopped. */
const ENDLESS = 'SELECT id FROM range(1000000000000) WHERE sqrt(id) < -1'

const folder = mkdtempSync(join(tmpdir(), 'spark-connect-'))
let session: SparkSession
beforeAll(async () => {
  session = await connect(REMOTE)
  // The engine of the tests interprets plans, which is quicker for a few rows.
  await session.conf.set({
    'spark.sql.codegen.wholeStage': true,
    'spark.sql.codegen.factoryMode': 'FALLBACK',
  })
})
afterAll(async () => {
  await session.stop()
  rmSync(folder, { recursive: true })
})

function idsOf(batch: RecordBatch): BigInt64Array {
  return batch.getChild('id')!.data[0]!.values as BigInt64Array
}

describe('large results', () => {
  test('two million rows in batches, in memory that does not grow with them', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const used = () => {
      // Buffers are counted until a second collection has waited for the sweeping of the first.
      collectGarbage()
      collectGarbage()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return arrayBuffers + heapUsed
    }
    const before = used()
    let [rowCount, sum, totalBytes, peak, batchCount] = [0, 0n, 0, 0, 0]
    const frame = session
      .range(0, 2_000_000)
      .selectExpr(
        'id',
        'id * 2 AS a',
        'id * 3 AS b',
        'id * 5 AS c',
        'id * 7 AS d',
        'id + 1 AS e',
        'id + 2 AS f',
        'id + 3 AS g',
      )
    for await (const batch of frame.batches()) {
      rowCount += batch.numRows
      for (const id of idsOf(batch)) sum += id
      totalBytes += batch.data.byteLength
      if (++batchCount % 20 === 0) peak = Math.max(peak, used() - before)
    }
    expect([rowCount, sum]).toEqual([2_000_000, 1_999_999_000_000n])
    expect(totalBytes).toBeGreaterThanOrEqual(128_000_000)
    expect(peak).toBeLessThan(totalBytes / 2)
  })
})

describe('broken connections', () => {
  test('a result comes complete, once and in order through a connection that breaks again and again', async () => {
    await using proxy = await CuttingProxy.start(host, port)
    await using cut = await connect(`sc://127.0.0.1:${proxy.port}/;token=${token}`)
    proxy.cutAll()
    proxy.limitNext(300_000, 1_000_000, 10, 2_000_000, 100_000)
    let next = 0
    for await (const batch of cut.range(0, 1_000_000).batches())
      for (const id of idsOf(batch)) {
        if (id !== BigInt(next)) throw new Error(`row ${id} came where ${next} belongs`)
        next++
      }
    expect(next).toBe(1_000_000)
    expect(proxy.cutCount).toBe(6)
  })

  test('a command takes effect once although its answer was lost', async () => {
    await using proxy = await CuttingProxy.start(host, port)
    await using cut = await connect(`sc://127.0.0.1:${proxy.port}/;token=${token}`)
    const path = join(folder, 'once')
    const written = cut.range(0, 10).write.format('parquet').mode('append').save(path)
    for (let count = 0; count < 3; count++) {
      await sleep(100)
      proxy.cutAll()
    }
    await written
    const rows = await session.read.format('parquet').load(path).orderBy('id').collect()
    expect(rows.map((row) => Number(row.id))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('a server that is gone is told within the tries', async () => {
    await using proxy = await CuttingProxy.start(host, port)
    const retry = { maxRetries: 3, initialBackoffMs: 10 }
    const cut = await connect(`sc://127.0.0.1:${proxy.port}/;token=${token}`, { retry })
    await proxy[Symbol.asyncDispose]()
    await expect(cut.range(0, 5).collect()).rejects.toMatchObject({ code: 'SPARK_UNREACHABLE' })
    await expect(cut.version()).rejects.toMatchObject({ code: 'SPARK_UNREACHABLE' })
    cut.close()
  })
})

describe('interrupting', () => {
  test('aborting a signal ends the query on the server', async () => {
    const controller = new AbortController()
    const query = (await session.sql(ENDLESS)).collect({ signal: controller.signal, tags: ['aborted'] })
    setTimeout(() => controller.abort(new Error('enough')), 500)
    await expect(query).rejects.toThrow('enough')
    expect(await session.interruptTag('aborted')).toEqual([])
  })

  test('by tag, and all; progress tells that it runs', async () => {
    const frame = await session.sql(ENDLESS)
    const isRunning = Promise.withResolvers<void>()
    const onProgress = ({ inflightTaskCount }: { readonly inflightTaskCount: number }) => {
      if (inflightTaskCount > 0) isRunning.resolve()
    }
    const tagged = expect(frame.collect({ tags: ['slow'], onProgress })).rejects
    await isRunning.promise
    expect(await session.interruptTag('other')).toEqual([])
    expect(await session.interruptTag('slow')).toHaveLength(1)
    await tagged.toMatchObject({ code: 'SPARK_CANCELLED', errorClass: 'OPERATION_CANCELED' })
    const all = expect(frame.collect()).rejects
    await expect.poll(() => session.interruptAll(), { timeout: 20_000 }).toHaveLength(1)
    await all.toMatchObject({ code: 'SPARK_CANCELLED' })
  })

  test('leaving a loop ends the query', async () => {
    for await (const batch of session
      .range(0, 20_000_000, { partitionCount: 200 })
      .batches({ tags: ['left'] })) {
      expect(batch.numRows).toBeGreaterThan(0)
      break
    }
    expect(await session.interruptTag('left')).toEqual([])
  })
})

describe('TLS', () => {
  test('a server with a certificate of one’s own, and one that nobody vouches for', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    const terminator = createServer(
      { key: readFileSync(key), cert: readFileSync(cert), ALPNProtocols: ['h2'] },
      (socket) => {
        const server = connectTcp(port, host)
        for (const end of [socket, server]) end.on('error', () => {})
        socket.pipe(server).pipe(socket)
      },
    ).listen(0, '127.0.0.1')
    await once(terminator, 'listening')
    const remote = `sc://127.0.0.1:${(terminator.address() as AddressInfo).port}/;use_ssl=true;token=${token}`
    try {
      await using trusted = await connect(remote, { tls: { ca: readFileSync(cert) } })
      expect(await trusted.range(0, 3).count()).toBe(3)
      await expect(connect(remote)).rejects.toMatchObject({
        code: 'SPARK_UNREACHABLE',
        message: expect.stringContaining('self-signed certificate'),
      })
    } finally {
      terminator.close()
    }
  })
})
