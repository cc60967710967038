import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WorkerClient } from '../launcher/worker-client.ts'

const schema = {
  type: 'struct',
  fields: [{ name: 'id', type: 'long', nullable: true, metadata: {} }],
}
let spark: WorkerClient
let deltalake: WorkerClient
beforeAll(async () => {
  spark = await WorkerClient.connect(process.env.ARUS_SPARK_SOCKET!)
  deltalake = await WorkerClient.connect(process.env.ARUS_DELTALAKE_SOCKET!)
})
afterAll(() => {
  spark[Symbol.dispose]()
  deltalake[Symbol.dispose]()
})

test('Spark and deltalake read and write one table in the object store', async () => {
  const table = `${process.env.S3_BUCKET}/${randomUUID()}`
  const rowsOf = (...ids: readonly string[]) => ids.map((id) => ({ id }))
  await spark.request('create', { path: `s3a://${table}`, schema, partition_columns: [], properties: {} })
  await deltalake.request('write', { path: `s3://${table}`, schema, rows: rowsOf('1'), mode: 'append' })
  await spark.request('sql', {
    statement: `INSERT INTO delta.\`s3a://${table}\` SELECT * FROM source`,
    views: { source: { schema, rows: rowsOf('9223372036854775807') } },
  })
  const bySpark = await spark.request('sql', {
    statement: `SELECT * FROM delta.\`s3a://${table}\` ORDER BY id`,
  })
  expect(bySpark).toEqual({ schema, rows: rowsOf('1', '9223372036854775807') })
  const byDeltalake = (await deltalake.request('read', { path: `s3://${table}` })) as { rows: unknown[] }
  expect(byDeltalake.rows).toHaveLength(2)
  expect(byDeltalake.rows).toEqual(expect.arrayContaining(rowsOf('1', '9223372036854775807')))
})

test('what an engine refuses is told in its own words, and it goes on', async () => {
  await expect(spark.request('sql', { statement: 'SELECT no_such_column' })).rejects.toMatchObject({
    code: 'ENGINE_REQUEST_FAILED',
    message: expect.stringContaining('UNRESOLVED_COLUMN'),
  })
  await expect(deltalake.request('read', { path: '/no/such/table' })).rejects.toMatchObject({
    code: 'ENGINE_REQUEST_FAILED',
  })
  expect(await spark.request('sql', { statement: 'SELECT 1 AS one' })).toMatchObject({ rows: [{ one: 1 }] })
})
