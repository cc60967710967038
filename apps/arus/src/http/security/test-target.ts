/** Attacks on a listening API, for tests: what it cost is measured where it is paid, in this process. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openShop } from '../test-api.ts'

/** The body limit of a default Arus. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024

/** A listening shop with the limits of a default Arus. */
export async function openTarget() {
  const shop = await openShop({ bodyLimitBytes: BODY_LIMIT_BYTES })
  await shop.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = shop.app.server.address() as AddressInfo
  const posts = [...shop.app.routeScopes.keys()]
    .filter((route) => route.startsWith('POST '))
    .map((route) => route.slice(5))
  return { ...shop, port, posts, url: `http://127.0.0.1:${port}` }
}

/** Sends bytes as they stand and gives all that comes back until the server closes, or `untilMs` passes. */
export async function sendRaw(port: number, bytes: string | Buffer, untilMs = 5_000): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.setTimeout(untilMs, () => socket.destroy())
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

/** What some work cost: memory at its highest above the start, and the longest time nothing else could run. */
export async function costOf(work: () => Promise<void>): Promise<{ memoryMb: number; stallMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const before = process.memoryUsage().rss
  let highest = before
  const watch = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss)
  }, 5)
  delay.enable()
  await work()
  delay.disable()
  clearInterval(watch)
  return { memoryMb: (highest - before) / 1024 / 1024, stallMs: delay.max / 1e6 }
}
