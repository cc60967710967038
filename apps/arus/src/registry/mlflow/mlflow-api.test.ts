import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MlflowApi } from './mlflow-api.ts'
import { MlflowArtefacts } from './mlflow-artefacts.ts'
import type { MlflowAccess } from './mlflow-request.ts'

/** Answers by path, without what follows `?`; of paths not named: 404. */
let answers: Record<string, () => readonly [number, unknown]>
let access: MlflowAccess
let api: MlflowApi
let close: () => void

beforeEach(async () => {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]!
    const [status, body] = (answers[path] ?? (() => [404, '<html>'] as const))()
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  access = { trackingUri: `http://127.0.0.1:${port}`, username: null, password: null, token: null }
  api = new MlflowApi(access)
  close = () => {
    server.close()
    server.closeAllConnections()
  }
})
afterEach(() => close())

const GET = '/api/2.0/mlflow/registered-models/get'
const CREATE = '/api/2.0/mlflow/registered-models/create'

describe('a server', () => {
  test.each([
    ['2.2.1', /MLflow 2\.2\.1 at .* is too old; 2\.9 or newer is needed/],
    ['1.30.0', /is too old/],
    ['<html>', /is not MLflow; check MLFLOW_TRACKING_URI/],
  ])('that says it is %s will not do', async (version, message) => {
    answers = { '/version': () => [200, version] }
    await expect(api.check()).rejects.toMatchObject({
      code: 'ENGINE_UNUSABLE',
      message: expect.stringMatching(message),
    })
  })

  test.each(['2.9.0', '2.22.1', '3.17.2', '3.18.0.dev0'])('that says it is %s will do', async (version) => {
    answers = { '/version': () => [200, version] }
    await api.check()
  })
})

describe('a registered model', () => {
  test('that a user with few rights is not told about is made, as it may not be there', async () => {
    let isMade = false
    answers = {
      [GET]: () => (isMade ? [200, {}] : [403, 'Permission denied']),
      [CREATE]: () => {
        isMade = true
        return [200, {}]
      },
    }
    await api.ensureRegisteredModel('arus-shop')
    expect(isMade).toBe(true)
  })

  test('that is there and is not for this user is refused', async () => {
    answers = {
      [GET]: () => [403, 'Permission denied'],
      [CREATE]: () => [400, { error_code: 'RESOURCE_ALREADY_EXISTS', message: 'It exists' }],
    }
    await expect(api.ensureRegisteredModel('arus-shop')).rejects.toThrow(/403: Permission denied/)
  })
})

test('artefacts that the server does not pass on cannot be kept', async () => {
  const artefacts = new MlflowArtefacts(access)
  await expect(artefacts.upload('s3://bucket/1/a/artifacts/model', 'x', new Blob(['x']))).rejects.toThrow(
    /does not pass artefacts on \(they are at s3:\/\/bucket\/1\/a\/artifacts\/model\)/,
  )
})
