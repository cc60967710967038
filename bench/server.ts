import { withServer } from './running-server.ts'
import { benchServe } from './serve.ts'

const PORT = 8390
const USERS = 2_000

/** Starts a generated shop of its own and measures requests against it, beside a bare route in the same run. */
export async function benchServer(productCount = 1_426_337): Promise<void> {
  await withServer('server', { productCount, port: PORT }, ({ baseUrl, productIds }) =>
    benchServe({
      baseUrl,
      users: Array.from({ length: USERS }, (_, i) => String(i + 1)),
      products: productIds,
    }),
  )
}

if (import.meta.main) await benchServer(process.argv[2] === undefined ? undefined : Number(process.argv[2]))
