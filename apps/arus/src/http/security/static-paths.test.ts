import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTarget, sendRaw } from './test-target.ts'

let target: Awaited<ReturnType<typeof openTarget>>
beforeAll(async () => {
  target = await openTarget()
})
afterAll(() => target.app.close())

const UPWARDS = [
  '../',
  '..%2f',
  '%2e%2e/',
  '%2e%2e%2f',
  '..\\',
  '..%5c',
  '%252e%252e%252f',
  '....//',
  '..%00/',
  '..;/',
  '%c0%ae%c0%ae/',
  '.%2e/',
]

test.each(UPWARDS)('no path of Swagger UI’s files leads out by %s', async (up) => {
  for (const depth of [1, 3, 12]) {
    for (const file of ['package.json', 'etc/passwd', 'apps/arus/package.json']) {
      for (const root of ['/docs/static/', '/docs/', '/docs/static/x/']) {
        const path = root + up.repeat(depth) + file
        const answer = await sendRaw(
          target.port,
          `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
        )
        expect([path, answer.slice(0, 12)]).toEqual([
          path,
          expect.stringMatching(/^HTTP\/1\.1 (30[128]|40[0345])/),
        ])
        expect(answer).not.toMatch(/root:x?:0|"dependencies"|"version"/)
      }
    }
  }
})

test('absolute and doubled slashes, and other schemes, reach no file', async () => {
  for (const path of [
    '/docs/static//etc/passwd',
    '//etc/passwd',
    '/docs/static/%2fetc%2fpasswd',
    'file:///etc/passwd',
    'http://elsewhere/etc/passwd',
  ]) {
    const answer = await sendRaw(target.port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    expect([path, answer.slice(0, 12)]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 40[034]/)])
    expect(answer).not.toContain('root:')
  }
})
