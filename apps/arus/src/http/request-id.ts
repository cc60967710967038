import type { IncomingMessage } from 'node:http'

const SAFE = /^[A-Za-z0-9._:-]{1,64}$/

/** Gives each request an id: the caller's `x-request-id` when it is short and plain, else one that counts up. */
export function requestIds(startedMs: number): (request: Pick<IncomingMessage, 'headers'>) => string {
  const prefix = `r${startedMs.toString(36)}`
  let count = 0
  return ({ headers }) => {
    const given = headers['x-request-id']
    if (typeof given === 'string' && SAFE.test(given)) return given
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
