import { once } from 'node:events'
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  askMlflow,
  type MlflowAccess,
  type MlflowRequest,
  mlflowCode,
  sendToMlflow,
} from './mlflow-request.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** What the server does with one request after another; the last goes on for good. */
let answers: Answer[]
let seen: IncomingMessage[]
let access: MlflowAccess
let close: () => void

beforeEach(async () => {
  answers = []
  seen = []
  const server = createServer((request, response) => {
    seen.push(request)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    answer?.(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  access = { trackingUri: `http://127.0.0.1:${port}`, username: null, password: null, token: null }
  close = () => {
    server.close()
    server.closeAllConnections()
  }
})
afterEach(() => close())

const says =
  (status: number, body: unknown): Answer =>
  (_, response) =>
    void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
const breaksOff: Answer = ({ socket }) => void socket.destroy()
const saysNothing: Answer = () => {}

const REQUEST: MlflowRequest = { method: 'POST', path: '/x', json: {}, purpose: 'make a thing' }
const ask = (more: Partial<MlflowRequest> = {}) => askMlflow(access, { ...REQUEST, ...more })

describe('a request to MLflow', () => {
  test('is sent again when the server fails or the connection breaks', async () => {
    answers = [says(503, 'busy'), breaksOff, says(500, {}), says(200, { fine: true })]
    expect(await ask()).toEqual({ fine: true })
    expect(seen).toHaveLength(4)
  })

  test('sends a file whole, with its size, each time it is sent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'arus-mlflow-request-'))
    try {
      const bytes = Buffer.alloc(3_000_000, 'a file larger than what is read at once; ')
      writeFileSync(join(folder, 'file'), bytes)
      const received: Buffer[] = []
      const takes =
        (status: number): Answer =>
        async (request, response) => {
          received.push(Buffer.concat(await request.toArray()))
          says(status, {})(request, response)
        }
      answers = [takes(503), takes(200)]
      const { json: _, ...request } = REQUEST
      const content = await openAsBlob(join(folder, 'file'))
      await sendToMlflow(access, { ...request, method: 'PUT', content })
      expect(received.map((each) => each.equals(bytes))).toEqual([true, true])
      expect(seen.map(({ headers }) => headers['content-length'])).toEqual(['3000000', '3000000'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('is not sent again where that might do it twice', async () => {
    answers = [breaksOff, says(200, {})]
    await expect(ask({ isOnce: true })).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    expect(seen).toHaveLength(1)
  })

  test('ends when the server stays away, is silent, or is not there', async () => {
    answers = [says(502, 'Bad Gateway')]
    await expect(ask({ patience: { timeoutMs: 500, attemptsMax: 2 } })).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringContaining('fails to make a thing (502: Bad Gateway)'),
    })
    answers = [saysNothing]
    await expect(ask({ patience: { timeoutMs: 100, attemptsMax: 1 } })).rejects.toThrow(
      /no answer within 0.1 s/,
    )
    close()
    await expect(ask({ isOnce: true })).rejects.toThrow(
      /does not answer at .* \(ECONNREFUSED\); check MLFLOW/,
    )
  })

  test.each([
    [401, 'no', /does not take the name and password.*MLFLOW_TRACKING_PASSWORD/],
    [403, 'Permission denied', /does not let Arus make a thing \(403: Permission denied\)/],
    [404, '<html>', /answers 404 without a word of MLflow's/],
    [400, { error_code: 'INVALID_STATE', message: 'It was\ndeleted' }, /\(INVALID_STATE: It was deleted\)/],
  ])('that is refused with %i says why in one line, at once', async (status, body, message) => {
    answers = [says(status, body)]
    const failure = await ask().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ENGINE_UNUSABLE', message: expect.stringMatching(message) })
    expect((failure as Error).message).not.toContain('\n')
    expect(mlflowCode(failure)).toBe(typeof body === 'string' ? null : body.error_code)
    expect(seen).toHaveLength(1)
  })

  test('that is answered in HTML or led elsewhere was not to MLflow', async () => {
    answers = [says(200, '<html>')]
    await expect(ask()).rejects.toMatchObject({ code: 'ENGINE_UNUSABLE' })
    answers = [(_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()]
    await expect(ask({ patience: { timeoutMs: 500, attemptsMax: 1 } })).rejects.toMatchObject({
      code: 'ENGINE_UNUSABLE',
    })
  })

  test('carries name and password, or the token, and none of them into messages', async () => {
    answers = [says(401, 'no')]
    access = { ...access, username: 'ani', password: 'geheim:ü' }
    await expect(ask()).rejects.not.toThrow(/geheim/)
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ani:geheim:ü').toString('base64')}`)
    access = { ...access, username: null, password: null, token: 'abc' }
    await expect(sendToMlflow(access, REQUEST)).rejects.not.toThrow(/abc/)
    expect(seen[1]?.headers.authorization).toBe('Bearer abc')
  })
})
