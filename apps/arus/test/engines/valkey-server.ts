import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KillableServer } from '../../../../engines/launcher/engine.ts'
import { freePort } from '../../../../engines/launcher/free-port.ts'
import { installEngine } from '../../../../engines/launcher/installation.ts'
import { startValkey, type ValkeyOptions, valkey } from '../../../../engines/valkey.ts'

/** A Valkey of one test, which may be killed and come back. */
export interface OwnValkey extends AsyncDisposable {
  readonly url: string
  /** Where it keeps its files. */
  readonly folder: string
  kill(): Promise<void>
  /** After a kill, on the same data, at the same address. */
  start(): Promise<void>
  /** True when a file of it holds the text. */
  holds(text: string): boolean
}

export async function ownValkey(how: Pick<ValkeyOptions, 'flavour' | 'settings'> = {}): Promise<OwnValkey> {
  const signal = new AbortController().signal
  const options = {
    folder: await installEngine(valkey, { log: () => {}, signal }),
    runFolder: mkdtempSync(join(tmpdir(), 'arus-valkey-')),
    port: await freePort(),
    password: 'for-a-test',
    signal,
    ...how,
  }
  const folder = join(options.runFolder, 'data')
  let server: KillableServer = await startValkey(options)
  return {
    url: server.environment.REDIS_URL ?? '',
    folder,
    kill: () => server.kill(),
    async start() {
      server = await startValkey(options)
    },
    holds: (text) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(text)),
    async [Symbol.asyncDispose]() {
      await server.stop()
      rmSync(options.runFolder, { recursive: true, force: true })
    },
  }
}
