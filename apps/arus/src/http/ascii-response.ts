import { type IncomingMessage, ServerResponse } from 'node:http'

/**
 * A response that writes a body of ASCII characters alone as `latin1`: the same bytes as UTF-8, for which Node sets aside three
 * bytes a character and, from 16 kB of these, asks the system for memory in place of the stack. An answer of ten products with its head is
 * above that.
 */
export class AsciiResponse<T extends IncomingMessage = IncomingMessage> extends ServerResponse<T> {
  override end(...given: unknown[]): this {
    const [chunk, encoding, done] = given
    const isAscii = typeof chunk === 'string' && !encoding && Buffer.byteLength(chunk) === chunk.length
    const end = super.end as (...args: unknown[]) => this
    return isAscii ? end.call(this, chunk, 'latin1', done) : end.apply(this, given)
  }
}
