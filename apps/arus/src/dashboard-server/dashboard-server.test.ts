import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startDashboard } from './dashboard-server.ts'

describe('the dashboard server', () => {
  let folder: string
  let server: Awaited<ReturnType<typeof startDashboard>>

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'arus-dashboard-'))
    const distFolder = join(folder, 'dist')
    mkdirSync(join(distFolder, 'assets'), { recursive: true })
    writeFileSync(join(folder, 'secret.json'), '"not for the web"')
    writeFileSync(join(distFolder, 'index.html'), '<div id="root"></div>')
    writeFileSync(join(distFolder, 'assets', 'index-1a2b.js'), 'export {}')
    server = await startDashboard({ host: '127.0.0.1', port: 0, apiPort: 8123, distFolder })
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('says where the API is, and lets nobody keep that', async () => {
    const response = await fetch(`${server.url}/config.json`)
    expect(await response.json()).toEqual({ api_port: 8123, api_url: null })
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('gives the page for every route, and a policy with it', async () => {
    for (const path of ['/', '/recommendations?user=1', '/no/such/page']) {
      const response = await fetch(server.url + path)
      expect(await response.text()).toBe('<div id="root"></div>')
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(response.headers.get('cache-control')).toBe('no-cache')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
    }
  })

  test('hashed files may be kept for ever; one that is gone is not the page', async () => {
    const found = await fetch(`${server.url}/assets/index-1a2b.js`)
    expect(found.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(found.headers.get('cache-control')).toContain('immutable')
    expect((await fetch(`${server.url}/assets/index-0000.js`)).status).toBe(404)
  })

  test('takes only GET and HEAD', async () => {
    const response = await fetch(`${server.url}/`, { method: 'POST' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(await (await fetch(`${server.url}/`, { method: 'HEAD' })).text()).toBe('')
  })

  test.each([
    '/../secret.json',
    '/..%2fsecret.json',
    '/%2e%2e/secret.json',
    '/..%5csecret.json',
    '/assets/..%5c..%5c..%5csecret.json',
    '/..\\secret.json',
    '/..%00/secret.json',
    '/%zz',
  ])('no path leads out of the folder: %s', async (path) => {
    const answer = await raw(new URL(server.url).port, path)
    expect(answer).toContain('<div id="root">')
    expect(answer).not.toContain('not for the web')
  })

  test('a port that is taken is said to be', async () => {
    const port = Number(new URL(server.url).port)
    const second = startDashboard({ host: '127.0.0.1', port, apiPort: 1, distFolder: folder })
    await expect(second).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })
})

/** Sends a path as it stands: `fetch` would tidy it first. */
async function raw(port: string, path: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: dashboard\r\nconnection: close\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk
  return answer
}
