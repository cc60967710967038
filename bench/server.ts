import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProductPage } from '../apps/arus/src/api-schema/index.ts'
import { benchServe } from './serve.ts'

const PORT = 8390
const USERS = 2_000
const main = join(import.meta.dirname, '../apps/arus/src/main.ts')

/** Starts a generated shop of its own and measures requests against it, beside a bare route in the same run. */
export async function benchServer(productCount = 1_426_337): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-server-'))
  const server = spawn(
    process.execPath,
    [main, 'start', '--no-dashboard', '--size', String(productCount), '--shoppers', '0'],
    {
      env: { ...process.env, ARUS_DATA_DIR: folder, ARUS_API_PORT: String(PORT) },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  try {
    await saysReady(server)
    const baseUrl = `http://127.0.0.1:${PORT}`
    const page = (await (await fetch(`${baseUrl}/products?limit=100`)).json()) as ProductPage
    await benchServe({
      baseUrl,
      users: Array.from({ length: USERS }, (_, i) => String(i + 1)),
      products: page.products.map((product) => product.product_id),
    })
  } finally {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
    rmSync(folder, { recursive: true })
  }
}

async function saysReady(server: ChildProcess): Promise<void> {
  let output = ''
  for await (const chunk of server.stderr ?? []) {
    output += String(chunk)
    if (output.includes('Arus is ready')) return
  }
  throw new Error(`The server did not start:\n${output.slice(-2_000)}`)
}

if (import.meta.main) await benchServer(process.argv[2] === undefined ? undefined : Number(process.argv[2]))
