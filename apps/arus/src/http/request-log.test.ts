import { expect, test } from 'vitest'
import { openKeyedApi } from './keys/test-keyed-api.ts'
import { createLogger } from './request-log.ts'

test('no key is ever logged, wherever it was presented, spelled plainly or not', async () => {
  let log = ''
  const logger = createLogger('debug', {
    write(line: string) {
      log += line
    },
  })
  const api = await openKeyedApi({ logger, isRequestLogged: true })
  const keys = await Promise.all([api.key('public'), api.key('secret'), api.key('admin')])
  const payload = { user_id: 1, action: 'view', product_id: 'p' }
  for (const key of keys) {
    const spelled = [...key].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')
    for (const query of [
      `key=${key}`,
      `api_secret=${key}`,
      `%6bey=${key}`,
      `key=${spelled}`,
      `KEY=${key}?key=${key}`,
    ]) {
      for (const url of ['/stream/events', '/mp/collect', '/v1/track', '/nope'])
        await api.app.inject({ method: 'POST', url: `${url}?${query}`, payload })
    }
    await api.app.inject({ url: '/analytics', headers: { authorization: `Bearer ${key}` } })
    await api.app.inject({ url: '/analytics', headers: { authorization: `Basic ${btoa(`${key}:`)}` } })
    await api.app.inject({ method: 'POST', url: '/v1/t', payload: { ...payload, writeKey: key } })
  }
  await api.app.inject({
    method: 'POST',
    url: '/keys',
    payload,
    headers: { authorization: `Bearer ${keys[2]}` },
  })
  await api.close()
  expect(log).toContain('"/stream/events"')
  expect(log).toContain('"parameters":["key"]')
  for (const key of keys) {
    expect(log).not.toContain(key.slice(16))
    expect(decodeURIComponent(log)).not.toContain(key.slice(16))
    expect(log).not.toContain(btoa(key).slice(0, 40))
  }
})
