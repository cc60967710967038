import type { SandboxMessage } from './protocol.ts'

/** A piece of what a sandbox process sends: a message, or bytes of a result. */
export type Frame =
  | { readonly kind: 'message'; readonly message: SandboxMessage }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }

const HEADER_BYTES = 5
const MESSAGE = 77
const DATA = 68

/** One byte of kind, four of length (big endian), then the payload. */
export function encodeFrame(frame: Frame): Uint8Array {
  const payload =
    frame.kind === 'data' ? frame.bytes : new TextEncoder().encode(JSON.stringify(frame.message))
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.byteLength)
  bytes.writeUInt8(frame.kind === 'data' ? DATA : MESSAGE, 0)
  bytes.writeUInt32BE(payload.byteLength, 1)
  bytes.set(payload, HEADER_BYTES)
  return bytes
}

/**
 * The frames in a stream of bytes; ends with the stream. Data is passed on as it comes, without a copy: one frame may become several.
 * One read of the source at a time, so its backpressure holds.
 */
export async function* decodeFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  let held: Buffer = Buffer.alloc(0)
  let dataLeft = 0
  for await (const chunk of source) {
    held = held.byteLength === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.byteLength > 0) {
      if (dataLeft > 0) {
        const bytes = held.subarray(0, dataLeft)
        held = held.subarray(bytes.byteLength)
        dataLeft -= bytes.byteLength
        yield { kind: 'data', bytes }
        continue
      }
      if (held.byteLength < HEADER_BYTES) break
      const length = held.readUInt32BE(1)
      const isData = held.readUInt8(0) === DATA
      if (!isData && held.byteLength < HEADER_BYTES + length) break
      const payload = held.subarray(HEADER_BYTES, isData ? HEADER_BYTES : HEADER_BYTES + length)
      held = held.subarray(HEADER_BYTES + payload.byteLength)
      if (isData) dataLeft = length
      else yield { kind: 'message', message: JSON.parse(payload.toString()) as SandboxMessage }
    }
  }
}
