/** The API with keys required, for tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteDatabase } from '../../database/sqlite-database.ts'
import type { KeyKind } from '../../keys/api-key.ts'
import { KeyRing } from '../../keys/key-ring.ts'
import { KeyStore } from '../../keys/key-store.ts'
import { newApiKey } from '../../keys/new-key.ts'
import type { ApiDeps } from '../api-deps.ts'
import { openShop } from '../test-api.ts'

interface KeyOptions {
  readonly origins?: readonly string[]
  readonly limit?: number
}

/** A shop whose keys stand in a real database. `store` is another process's way to them. */
export async function openKeyedApi(changes: Partial<ApiDeps> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'arus-keys-'))
  const file = join(folder, 'arus.sqlite')
  const [database, elsewhere] = [await openSqliteDatabase({ file }), await openSqliteDatabase({ file })]
  const ring = await KeyRing.open({
    store: new KeyStore({ database }),
    now: Date.now,
    onFault: (error) => {
      throw error
    },
  })
  const shop = await openShop({ keys: ring, ...changes })
  return {
    ...shop,
    ring,
    store: new KeyStore({ database: elsewhere }),
    /** Makes a key and gives its text. */
    async key(kind: KeyKind, { origins = [], limit = 0 }: KeyOptions = {}): Promise<string> {
      const { text } = await ring.create(
        newApiKey({ kind, name: `a ${kind} key`, origins, rate_limit_per_minute: limit }),
      )
      return text
    },
    /** Listens on a free port; gives the address. */
    async listen(): Promise<string> {
      await shop.app.listen({ port: 0, host: '127.0.0.1' })
      return `http://127.0.0.1:${(shop.app.server.address() as AddressInfo).port}`
    },
    async close() {
      await shop.app.close()
      await ring.close()
      await database.destroy()
      await elsewhere.destroy()
      rmSync(folder, { recursive: true })
    },
  }
}
