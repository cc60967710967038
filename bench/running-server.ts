import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProductPage } from '../apps/arus/src/api-schema/index.ts'

/** A whole Arus on a generated shop of its own, in a temporary folder. */
export interface RunningServer {
  readonly baseUrl: string
  readonly pid: number
  readonly dataFolder: string
  /** Some product ids of the shop. */
  readonly productIds: readonly string[]
}

const main = join(import.meta.dirname, '../apps/arus/src/main.ts')

/** Starts it, lets `use` do its work, and leaves nothing behind. Throws what the server said when it does not start. */
export async function withServer<T>(
  name: string,
  { productCount, port }: { readonly productCount: number; readonly port: number },
  use: (server: RunningServer) => Promise<T>,
): Promise<T> {
  const dataFolder = mkdtempSync(join(tmpdir(), `arus-bench-${name}-`))
  const child = spawn(
    process.execPath,
    [main, 'start', '--no-dashboard', '--size', String(productCount), '--shoppers', '0'],
    {
      env: { ...process.env, ARUS_DATA_DIR: dataFolder, ARUS_API_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  try {
    await saysReady(child)
    const baseUrl = `http://127.0.0.1:${port}`
    const { products } = (await (await fetch(`${baseUrl}/products?limit=100`)).json()) as ProductPage
    const productIds = products.map(({ product_id }) => product_id)
    return await use({ baseUrl, pid: child.pid!, dataFolder, productIds })
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

async function saysReady(server: ChildProcess): Promise<void> {
  let output = ''
  for await (const chunk of server.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
    output += String(chunk)
    if (!output.includes('Arus is ready')) continue
    server.stderr?.resume()
    return
  }
  throw new Error(`The server did not start:\n${output.slice(-2_000)}`)
}
