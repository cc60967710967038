/**
 * Reads over the ordinary records of a CSV, almost all of them, for `CsvRecordScanner` of
 * `apps/arus/src/catalogue/csv-records.ts`: one line each, as many fields as columns, quotes only around fields. It stops at the
 * first record that is not ordinary, which is the scanner's. Beside that it notes the records that an import must look at
 * again, "doubtful" ones: a field that is not surely sound, or an id seen before. A doubtful record may well be sound.
 */
import { hashOf, isSeen, touch } from './seen-hashes'

const LINE_FEED: u32 = 10
const CARRIAGE_RETURN: u32 = 13
const QUOTE: u32 = 34
const TWO_QUOTES: u32 = 0x2222
const RECORD_BYTES_MAX: usize = 1 << 20

// What a column holds: `FIELD_KINDS` of `csv-kernel.ts`.
const ANY: u32 = 0
const ID: u32 = 1
const TITLE: u32 = 2
const ADDRESS: u32 = 3
const PRICE: u32 = 4
const STARS: u32 = 5
const COUNT: u32 = 6
const TRUTH: u32 = 7

const BLANK: u32 = 32
const DOT: u32 = 46
const ZERO: u32 = 48
const FIVE: u32 = 53
const ID_BYTES_MAX: usize = 200
const TEXT_BYTES_MAX: usize = 16_000
const NUMBER_BYTES_MAX: usize = 15
/** Every number of so many digits is a count that is kept. */
const COUNT_DIGITS_MAX: usize = 9

/** Bit of a record's hash that says that it is doubtful for another reason than its id. */
const IS_DOUBTFUL: u64 = 1

export function allocate(byteCount: u32): usize {
  return heap.alloc(byteCount)
}

let stopped: u32 = 0
let doubtCount: u32 = 0
let returnCount: u32 = 0

/** Where among the bytes the last `scan` stopped: the first of a record that it did not read. */
export function stoppedAt(): u32 {
  return stopped
}

/** How many records of the last `scan` are doubtful. */
export function doubts(): u32 {
  return doubtCount
}

/** How many records of the last `scan` ended with a carriage return and a line feed. */
export function returns(): u32 {
  return returnCount
}

/**
 * Reads the ordinary records in `bytes[from, end)`, the last byte of which is a line feed, up to `recordsMax` of them; answers
 * how many it read. `kinds` says what each column holds, a byte each. It writes, of each record, where its line feed stands to
 * `ends`, and a hash of its id to `hashes`; then the numbers of those that are doubtful to `doubtful`, ascending.
 * There must be 16 bytes of room after `end`.
 */
export function scan(
  bytes: usize,
  from: u32,
  end: u32,
  delimiter: u32,
  columnCount: u32,
  kinds: usize,
  recordsMax: u32,
  ends: usize,
  hashes: usize,
  doubtful: usize,
): u32 {
  let count: u32 = 0
  stopped = from
  returnCount = 0
  while (stopped < end && count < recordsMax) {
    const lineFeed = endOfRecord(bytes + stopped, delimiter, columnCount, kinds)
    if (lineFeed === 0) break
    const recordEnd = <u32>(lineFeed - bytes)
    store<u32>(ends + ((<usize>count) << 2), recordEnd)
    store<u64>(hashes + ((<usize>count) << 3), recordHash)
    stopped = recordEnd + 1
    count++
  }
  doubtCount = 0
  for (let record: u32 = 0; record < count; record++) {
    if (record % HASHES_AHEAD === 0)
      lookAhead(hashes + ((<usize>record) << 3), min(HASHES_AHEAD, count - record))
    const hash = load<u64>(hashes + ((<usize>record) << 3))
    // Asked for every one, as later ones are held against it.
    const isRepeated = hash <= IS_DOUBTFUL || isSeen(hash & ~IS_DOUBTFUL)
    if (!isRepeated && (hash & IS_DOUBTFUL) === 0) continue
    store<u32>(doubtful + ((<usize>doubtCount) << 2), record)
    doubtCount++
  }
  return count
}

/** Hashes that are looked for together, before any is asked for. */
const HASHES_AHEAD: u32 = 256
/** Exported so that the compiler does not leave out what is only read to be near. */
export let touched: u32 = 0

/** Places of hashes lie anywhere in memory: read at once, one wait does for many of them. */
function lookAhead(hashes: usize, count: u32): void {
  let sum: u32 = 0
  for (let n: u32 = 0; n < count; n++) sum += touch(load<u64>(hashes + ((<usize>n) << 3)) & ~IS_DOUBTFUL)
  touched += sum
}

let recordHash: u64 = 0

/** The line feed of the ordinary record that begins at `start`, its hash in `recordHash`; 0 where it is not ordinary. */
function endOfRecord(start: usize, delimiter: u32, columnCount: u32, kinds: usize): usize {
  const delimiters = i8x16.splat(<i8>delimiter)
  let at = start
  let hash: u64 = 0
  let doubt: u64 = 0
  for (let column: u32 = 0; column < columnCount; column++) {
    // The delimiter before this field.
    if (column > 0 && load<u8>(at++) !== delimiter) return 0
    let first = at
    let last: usize
    let isPlain = true
    if (load<u8>(at) !== QUOTE) {
      at = fieldEnd(at, delimiters)
      last = at
    } else {
      first++
      at = quoteOrLineFeed(first)
      while (load<u16>(at) === TWO_QUOTES) {
        isPlain = false
        at = quoteOrLineFeed(at + 2)
      }
      if (load<u8>(at) !== QUOTE) return 0
      last = at++
      // An empty text in quotes is not null.
      if (first === last) isPlain = false
    }
    const kind: u32 = load<u8>(kinds + column)
    if (kind === ANY) continue
    if (kind === ID) {
      if (isPlain && isText(first, last, ID_BYTES_MAX)) hash = hashOf(first, last - first) << 1
    } else if (!isSound(kind, first, last, isPlain)) doubt = IS_DOUBTFUL
  }
  if (at === start) return 0
  const recordEnd = at
  if (load<u8>(at) === CARRIAGE_RETURN) at++
  if (load<u8>(at) !== LINE_FEED || recordEnd - start > RECORD_BYTES_MAX) return 0
  returnCount += <u32>(at - recordEnd)
  recordHash = hash | doubt
  return at
}

/** The first delimiter, line feed or carriage return from `at` on. */
function fieldEnd(at: usize, delimiters: v128): usize {
  let found: i32
  for (;;) {
    const bytes = v128.load(at)
    const isReturn = i8x16.eq(bytes, i8x16.splat(<i8>CARRIAGE_RETURN))
    const isEnd = v128.or(i8x16.eq(bytes, delimiters), i8x16.eq(bytes, i8x16.splat(<i8>LINE_FEED)))
    found = i8x16.bitmask(v128.or(isEnd, isReturn))
    if (found !== 0) break
    at += 16
  }
  return at + ctz(found)
}

function quoteOrLineFeed(at: usize): usize {
  let found: i32
  for (;;) {
    const bytes = v128.load(at)
    const isQuote = i8x16.eq(bytes, i8x16.splat(<i8>QUOTE))
    found = i8x16.bitmask(v128.or(isQuote, i8x16.eq(bytes, i8x16.splat(<i8>LINE_FEED))))
    if (found !== 0) break
    at += 16
  }
  return at + ctz(found)
}

/** Whether the field is none, or one that no rule of `import-sql.ts` can refuse or change. */
function isSound(kind: u32, first: usize, last: usize, isPlain: bool): bool {
  if (kind === TITLE) return first < last && isText(first, last, TEXT_BYTES_MAX)
  if (first === last) return isPlain
  if (kind === ADDRESS) return isText(first, last, TEXT_BYTES_MAX)
  if (kind === TRUTH) return isTruth(first, last - first)
  return isNumber(kind, first, last)
}

/** No blank at either end; not empty. */
function isText(first: usize, last: usize, bytesMax: usize): bool {
  return first < last && last - first <= bytesMax && load<u8>(first) !== BLANK && load<u8>(last - 1) !== BLANK
}

function isTruth(first: usize, byteCount: usize): bool {
  if (byteCount === 1) return load<u8>(first) === ZERO || load<u8>(first) === ZERO + 1
  const head = byteCount < 4 ? 0 : load<u32>(first) | 0x20202020
  if (byteCount === 4) return head === 0x65757274 // true
  return byteCount === 5 && head === 0x736c6166 && (load<u8>(first + 4) | 0x20) === 101 // false
}

/** Digits, or digits, a dot and digits, within the bounds of its kind. */
function isNumber(kind: u32, first: usize, last: usize): bool {
  if (last - first > NUMBER_BYTES_MAX) return false
  const dot = digitsEnd(first, last)
  if (dot === first) return false
  let decimals: u32 = ZERO
  if (dot < last) {
    if (load<u8>(dot) !== DOT || dot + 1 === last || digitsEnd(dot + 1, last) < last) return false
    for (let at = dot + 1; at < last; at++) decimals |= load<u8>(at)
  }
  // Or-ed together, zeros stay what they are.
  const isWhole = decimals === ZERO
  if (kind === COUNT) return isWhole && dot - first <= COUNT_DIGITS_MAX
  if (kind === STARS) {
    const digit: u32 = load<u8>(first)
    return dot - first === 1 && (digit < FIVE || (digit === FIVE && isWhole))
  }
  return kind === PRICE
}

function digitsEnd(first: usize, last: usize): usize {
  while (first < last && <u32>load<u8>(first) - ZERO <= 9) first++
  return first
}
