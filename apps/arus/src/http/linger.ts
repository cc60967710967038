import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** How long what a client still sends is read after it was answered, milliseconds. */
const LINGER_MS = 5_000

/**
 * To be called when `request` is answered, and the answer says that the connection closes: once in the life of a
 * connection. A socket closed with unread bytes resets the connection, and a client that is still sending may then
 * never see the answer. So where the request has not come whole it is closed in stages (RFC 9112, section 9.6): the
 * server's side first; then what still comes is read and dropped until the client closes too, or for five seconds.
 */
export function lingerAfter(request: IncomingMessage): void {
  const { socket } = request
  // Requests of tests that never were on a network have no such socket.
  if (request.complete || typeof socket?.destroySoon !== 'function') return
  socket.destroySoon = () => closeInStages(request, socket)
}

function closeInStages(request: IncomingMessage, socket: Socket): void {
  request.unpipe()
  request.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  socket.once('end', () => socket.destroy())
  socket.end()
}
