/** How a container is written; every kind holds any set, though writers choose the smallest. */
export type ContainerKind = 'array' | 'bitmap' | 'run'

/**
 * Writes row numbers as Delta's 64-bit roaring bitmap, straight from the format's specification: the other side of
 * `decodeRoaring64` for tests. An `array` of more than 4,096 values is written as a bitmap, as the format demands, and a
 * smaller `bitmap` as an array.
 */
export function encodeRoaring64(rows: readonly number[], kind: ContainerKind): Uint8Array {
  const highs = groupBy(rows, (row) => Math.floor(row / 2 ** 32))
  const head = Buffer.alloc(12)
  head.writeInt32LE(1681511377, 0)
  head.writeBigInt64LE(BigInt(highs.size), 4)
  const bitmaps = [...highs].map(([high, own]) => {
    const key = Buffer.alloc(4)
    key.writeUInt32LE(high)
    return Buffer.concat([
      key,
      encode32(
        own.map((row) => row % 2 ** 32),
        kind,
      ),
    ])
  })
  return Buffer.concat([head, ...bitmaps])
}

function encode32(values: readonly number[], kind: ContainerKind): Buffer {
  const containers = [...groupBy(values, (value) => value >>> 16)].map(([key, own]) => ({
    key,
    own: own.map((value) => value & 0xffff),
  }))
  const count = containers.length
  const headers = Buffer.concat(containers.map(({ key, own }) => words(key, own.length - 1)))
  const bodies = containers.map(({ own }) =>
    kind === 'run' ? runs(own) : own.length <= 4096 ? words(...own) : bits(own),
  )
  if (kind === 'run') {
    const flags = Buffer.alloc((count + 7) >> 3, 0xff)
    const cookie = Buffer.alloc(4)
    cookie.writeUInt32LE(12347 | ((count - 1) << 16))
    return Buffer.concat([
      cookie,
      flags,
      headers,
      ...(count >= 4 ? [Buffer.alloc(count * 4)] : []),
      ...bodies,
    ])
  }
  const cookie = Buffer.alloc(8)
  cookie.writeUInt32LE(12346)
  cookie.writeUInt32LE(count, 4)
  return Buffer.concat([cookie, headers, Buffer.alloc(count * 4), ...bodies])
}

function runs(own: readonly number[]): Buffer {
  const found: [start: number, length: number][] = []
  for (const value of own) {
    const last = found.at(-1)
    if (last && last[0] + last[1] + 1 === value) last[1] += 1
    else found.push([value, 0])
  }
  return words(found.length, ...found.flat())
}

function bits(own: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8192)
  for (const value of own) bytes[value >> 3] = (bytes[value >> 3] ?? 0) | (1 << (value & 7))
  return bytes
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, i * 2)
  return bytes
}

function groupBy(values: readonly number[], keyOf: (value: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group) group.push(value)
    else groups.set(keyOf(value), [value])
  }
  return groups
}
