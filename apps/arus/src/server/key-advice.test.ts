import { expect, test } from 'vitest'
import { readSettings } from '../config/settings.ts'
import { openKeyedApi } from '../http/keys/test-keyed-api.ts'
import { keyAdvice } from './key-advice.ts'

test('an open door to the network is told; so is that there is no admin key yet', async () => {
  const api = await openKeyedApi()
  const adviceFor = (environment: Record<string, string>) =>
    keyAdvice({ settings: readSettings(environment, '/nowhere'), keys: async () => api.store })
  expect(await adviceFor({})).toBeNull()
  expect(await adviceFor({ ARUS_HOST: '::1' })).toBeNull()
  expect(await adviceFor({ ARUS_HOST: '0.0.0.0' })).toContain('ARUS_REQUIRE_KEYS=true')
  await api.key('secret')
  expect(await adviceFor({ ARUS_REQUIRE_KEYS: 'true' })).toContain('arus keys create --kind admin')
  await api.key('admin')
  expect(await adviceFor({ ARUS_REQUIRE_KEYS: 'true', ARUS_HOST: '0.0.0.0' })).toBeNull()
  await api.close()
})
