import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort } from '../../../../engines/launcher/free-port.ts'
import { installEngine } from '../../../../engines/launcher/installation.ts'
import { type PostgresServer, postgres, startPostgres } from '../../../../engines/postgres.ts'

/** A PostgreSQL of one test, which may crash and come back. */
export interface OwnPostgres extends AsyncDisposable {
  readonly url: string
  crash(): Promise<void>
  /** After a crash, on the same data, at the same address. */
  start(): Promise<void>
  /** True when a file with rows holds the text; not looked at: the write-ahead log. */
  holds(text: string): Promise<boolean>
}

export async function ownPostgres(): Promise<OwnPostgres> {
  const signal = new AbortController().signal
  const options = {
    folder: await installEngine(postgres, { log: () => {}, signal }),
    runFolder: mkdtempSync(join(tmpdir(), 'arus-postgres-')),
    port: await freePort(),
    password: 'for-a-test',
    signal,
  }
  let server: PostgresServer = await startPostgres(options)
  return {
    url: server.environment.DATABASE_URL ?? '',
    crash: () => server.crash(),
    async start() {
      server = await startPostgres(options)
    },
    async holds(text) {
      const client = new Client({ connectionString: server.environment.DATABASE_URL })
      await client.connect()
      await client.query('checkpoint')
      await client.end()
      return readdirSync(join(options.runFolder, 'data', 'base'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(text))
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      rmSync(options.runFolder, { recursive: true, force: true })
    },
  }
}
