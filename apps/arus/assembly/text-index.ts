/**
 * What `TextIndexBuilder` of `apps/arus/src/catalogue/text-index-builder.ts` does for every word of a catalogue: cuts texts into
 * tokens as `tokenizer.ts` does, numbers them, and collects per text its distinct terms. A text from its first word beyond
 * ASCII on is cut by the caller, who also puts by what is handed to him. One index in each memory.
 */
import { emptyTable, hashOf, intern, SLACK, STRINGS_RESERVED, zeros } from './byte-table'
import { BEYOND_ASCII, KINDS, PASSED_OVER, SEPARATOR, withoutPlural } from './word-bytes'

const TOKEN_BYTES_MAX: usize = 64
const POSTING_SHIFT: u32 = 3
const FREQUENCY_MAX: u32 = 7
const LENGTH_MAX: u32 = 255
/** Words that are handed to the caller together. */
const SEGMENT_WORDS: u32 = 1 << 20
const WORDS_MAX: u32 = 0xf0000000
const NO_NAME: u32 = 0xffffffff

const terms = emptyTable()

/** Per term: where in the order of all entries it was last written, plus 1; in how many texts it stands. */
let termCapacity: u32 = STRINGS_RESERVED
/** Of new memory, which is 0. */
let termFacts: usize = heap.alloc((<usize>termCapacity) << 3)

/** Of each text how many distinct terms it has, then an entry for each of them: `term * 8 + frequency`. */
const segment = heap.alloc((<usize>SEGMENT_WORDS) << 2)
let used: u32 = 0
/** Words of the segments before. */
let before: u32 = 0
/** The most distinct terms that a text has. */
let entriesMax: u32 = 0

/** Of each text of the segment: its length in tokens. */
const lengths = heap.alloc(SEGMENT_WORDS)
let segmentTexts: u32 = 0

/** Takes `wordCount` words from `from` on: a segment of `textCount` texts, none cut, with a byte for the length of each. */
declare function takeSegment(from: usize, wordCount: u32, lengths: usize, textCount: u32): void

let textCount: u32 = 0
let tokenCount: u64 = 0

/** Lists of terms that are part of many texts: list n is `nameTerms[nameStarts[n], nameStarts[n + 1])`. */
let nameStarts: usize = 0
let nameTerms: usize = 0

/** The text being read. */
let start: u32 = 0
let textTokens: u32 = 0
let at: usize = 0
let end: usize = 0
let token: usize = heap.alloc(1 << 12)
let tokenCapacity: usize = 1 << 12

/**
 * Words of up to eight bytes met lately, as one number, each with its term, at a place that this number tells. A few thousand
 * words make up most of a catalogue: they are found here by one look at memory, as they stood, their plural not cut.
 */
const RECENT_BITS = 13
const recentWords = zeros((<usize>1) << (RECENT_BITS + 4))
const HASH_MULTIPLIER: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15

export function allocate(byteCount: u32): usize {
  return heap.alloc(<usize>byteCount + SLACK)
}

// ── lines ──

const LINE_FEED: u32 = 10
const TEXT_END: u32 = 28
const TEXTS: u32 = 4
const NOT_CUT: u32 = 0xffffffff

/**
 * Cuts `rowCount` lines of four texts each, `TEXT_END` between them; `starts` and `byteCounts` are four arrays each, one
 * after the other, of where a text of each row begins and its bytes. Answers how many bytes the lines have: 0 where there are
 * not so many lines, `NOT_CUT` where one has more or fewer texts. There must be 16 bytes of room after the last.
 */
export function cutLines(bytes: usize, byteCount: u32, rowCount: u32, starts: usize, byteCounts: usize): u32 {
  const stop = bytes + byteCount
  const column = (<usize>rowCount) << 2
  let from = bytes
  for (let row: u32 = 0; row < rowCount; row++) {
    let place = (<usize>row) << 2
    for (let text: u32 = 0; text < TEXTS; text++) {
      const to = textEnd(from)
      if (to >= stop) return 0
      if (load<u8>(to) !== (text === TEXTS - 1 ? LINE_FEED : TEXT_END)) return NOT_CUT
      store<u32>(starts + place, <u32>from)
      store<u32>(byteCounts + place, <u32>(to - from))
      place += column
      from = to + 1
    }
  }
  return <u32>(from - bytes)
}

/** The first byte from `from` on that ends a text. */
function textEnd(from: usize): usize {
  let found: i32
  for (;;) {
    const bytes = v128.load(from)
    const isEnd = i8x16.eq(bytes, i8x16.splat(<i8>TEXT_END))
    found = i8x16.bitmask(v128.or(isEnd, i8x16.eq(bytes, i8x16.splat(<i8>LINE_FEED))))
    if (found !== 0) break
    from += 16
  }
  return from + ctz(found)
}

// ── ids ──

/**
 * Copies the ids of `count` rows to `bytes`, one after the other, where there must be 8 bytes of room after the last; where each
 * ends there goes to `ends`, its hash to `hashes`. Answers how many bytes they have.
 */
export function gatherIds(
  starts: usize,
  byteCounts: usize,
  count: u32,
  bytes: usize,
  ends: usize,
  hashes: usize,
): u32 {
  let to = bytes
  for (let row: u32 = 0; row < count; row++) {
    const place = (<usize>row) << 2
    const from = load<u32>(starts + place)
    const byteCount = load<u32>(byteCounts + place)
    // Eight bytes at a time: what is beyond the end is written over, or in the room.
    for (let at: usize = 0; at < byteCount; at += 8) store<u64>(to + at, load<u64>(<usize>from + at))
    to += byteCount
    store<u32>(ends + place, <u32>(to - bytes))
    store<u32>(hashes + place, hashOf(from, byteCount))
  }
  return <u32>(to - bytes)
}

// ── texts ──

export function setNames(starts: usize, terms: usize): void {
  nameStarts = starts
  nameTerms = terms
}

/** Number of the term that is the token of `byteCount` bytes at `source`. */
export function termOf(source: usize, byteCount: u32): u32 {
  const term = intern(terms, source, byteCount)
  if (term >= termCapacity) growTerms()
  return term
}

/**
 * Adds the texts of rows `row` to `count`, `byteCounts[row]` bytes at `starts[row]`, each with the terms of list `names[row]`.
 * Answers `count`, or the row whose text is not ASCII from `stoppedAt()` on: then `addTokens` goes on with it.
 */
export function addTexts(row: u32, count: u32, starts: usize, byteCounts: usize, names: usize): u32 {
  for (; row < count; row++) {
    const offset = (<usize>row) << 2
    begin(load<u32>(starts + offset), load<u32>(byteCounts + offset), load<u32>(names + offset))
    if (!readTokens()) return row
    close()
  }
  return count
}

export function stoppedAt(): usize {
  return at
}

/** Adds tokens to the text that `addTexts` stopped at, and ends it: token n is `bytes[ends[n - 1], ends[n])`. */
export function addTokens(bytes: usize, ends: usize, count: u32): void {
  let from: u32 = 0
  for (let n: u32 = 0; n < count; n++) {
    const to = load<u32>(ends + ((<usize>n) << 2))
    addTerm(termOf(bytes + from, to - from))
    from = to
  }
  textTokens += count
  close()
}

function begin(from: usize, byteCount: usize, name: u32): void {
  at = from
  end = from + byteCount
  if (byteCount > tokenCapacity) {
    tokenCapacity = byteCount
    token = heap.alloc(byteCount + SLACK)
  }
  const firstName = name === NO_NAME ? 0 : load<u32>(nameStarts + ((<usize>name) << 2))
  const nameEnd = name === NO_NAME ? 0 : load<u32>(nameStarts + ((<usize>name) << 2), 4)
  // A ligature of three bytes (U+FDFA) becomes four words, none becomes more.
  reserve(<u32>byteCount * 2 + (nameEnd - firstName) + 1)
  used++
  start = before + used
  textTokens = nameEnd - firstName
  pendingName = firstName
  pendingNameEnd = nameEnd
}

let pendingName: u32 = 0
let pendingNameEnd: u32 = 0

/** Reads on to the text's end; false where it met a word beyond ASCII, at which it stands then. */
function readTokens(): bool {
  const stop = end
  const first = token
  let to = first
  // The word's last eight bytes: all of it where it has no more.
  let word: u64 = 0
  let from = at
  for (; from < stop; from++) {
    const kind: u32 = load<u8>(KINDS + <usize>load<u8>(from))
    if (kind > BEYOND_ASCII) {
      store<u8>(to++, kind)
      word = (word << 8) | kind
    } else if (kind === SEPARATOR) {
      if (to !== first) addToken(to - first, word)
      to = first
      word = 0
    } else if (kind === BEYOND_ASCII) {
      at = wordStart(from)
      return false
    }
  }
  if (to !== first) addToken(to - first, word)
  return true
}

/** Where the word that `from` lies in begins, apostrophes being part of words here. */
function wordStart(from: usize): usize {
  while (from > at) {
    const kind: u32 = load<u8>(KINDS + <usize>load<u8>(from - 1))
    if (kind <= BEYOND_ASCII && kind !== PASSED_OVER) break
    from--
  }
  return from
}

function addToken(byteCount: usize, word: u64): void {
  textTokens++
  if (byteCount > sizeof<u64>()) {
    addTerm(termOfToken(byteCount))
    return
  }
  const recent = recentWords + ((<usize>((word * HASH_MULTIPLIER) >>> (64 - RECENT_BITS))) << 4)
  if (load<u64>(recent) !== word) {
    store<u32>(recent, termOfToken(byteCount), 8)
    store<u64>(recent, word)
  }
  addTerm(load<u32>(recent, 8))
}

function termOfToken(byteCount: usize): u32 {
  return termOf(token, <u32>withoutPlural(token, min(byteCount, TOKEN_BYTES_MAX)))
}

function addTerm(term: u32): void {
  const facts = termFacts + ((<usize>term) << 3)
  const last = load<u32>(facts)
  if (last > start) {
    const entry = segment + ((<usize>(last - 1 - before)) << 2)
    const value = load<u32>(entry)
    if ((value & FREQUENCY_MAX) < FREQUENCY_MAX) store<u32>(entry, value + 1)
    return
  }
  store<u32>(facts, load<u32>(facts, 4) + 1, 4)
  store<u32>(segment + ((<usize>used) << 2), (term << POSTING_SHIFT) + 1)
  used++
  store<u32>(facts, before + used)
}

function close(): void {
  for (let n = pendingName; n < pendingNameEnd; n++) addTerm(load<u32>(nameTerms + ((<usize>n) << 2)))
  const entryCount = before + used - start
  store<u32>(segment + ((<usize>(start - 1 - before)) << 2), entryCount)
  entriesMax = max(entriesMax, entryCount)
  store<u8>(lengths + segmentTexts, min(LENGTH_MAX, textTokens))
  segmentTexts++
  textCount++
  tokenCount += textTokens
}

function reserve(wordCount: u32): void {
  if (used + wordCount <= SEGMENT_WORDS) return
  if (wordCount > SEGMENT_WORDS || before > WORDS_MAX) unreachable()
  endSegment()
}

/** Hands over the words of the texts so far. */
export function endSegment(): void {
  takeSegment(segment, used, lengths, segmentTexts)
  before += used
  used = 0
  segmentTexts = 0
}

function growTerms(): void {
  const grown = zeros((<usize>termCapacity) << 4)
  memory.copy(grown, termFacts, (<usize>termCapacity) << 3)
  termFacts = grown
  termCapacity <<= 1
}

// ── the finished index ──

/** Per term: where its postings begin among those of all. */
let offsets: usize = 0
/** Postings of the terms of one block. */
let postings: usize = 0
/** Per term of the block: where in it its next posting goes. */
let next: usize = 0
/** The block's first term. */
let blockTerm: u32 = 0

/** Counts the postings of each term, of all texts. */
export function countPostings(): void {
  offsets = zeros((<usize>terms.count + 1) << 2)
  next = heap.alloc((<usize>terms.count + 1) << 2)
  let sum: u32 = 0
  for (let term: u32 = 0; term < terms.count; term++) {
    const place = (<usize>term) << 2
    sum += load<u32>(termFacts + (place << 1), 4)
    store<u32>(offsets + place, sum, 4)
  }
}

/** Begins with the postings of terms `first` to `end`, at `place`, where there must be room for them. */
export function startPostings(first: u32, end: u32, place: usize): void {
  blockTerm = first
  postings = place
  const before = load<u32>(offsets + ((<usize>first) << 2))
  for (let term = first; term < end; term++)
    store<u32>(next + ((<usize>(term - first)) << 2), load<u32>(offsets + ((<usize>term) << 2)) - before)
}

// ── texts in the order of documents ──

/** Documents whose entries are brought together: these are put in order within memory. */
const BUCKET_BITS: u32 = 16
/** Words of a bucket that are handed over together, or those of the longest text. */
const CHUNK_WORDS: u32 = 1 << 12
/** Words that wait in all buckets together, where texts are not long. */
const WAITING_WORDS_MAX: u32 = 1 << 21

/** Of each block of terms a bucket for each range of documents. */
let buckets: usize = 0
let bucketCount: u32 = 0
let chunkWords: u32 = 0
/** Per bucket: words that wait to be handed over. */
let waiting: usize = 0
/** Of each block: its first term; and where the next entry of a text is written. */
let blockCount: u32 = 0
let blockTerms: usize = 0
let cursors: usize = 0

/** Takes `wordCount` words of a bucket: that of documents `n << BUCKET_BITS` on in block b is `b * ranges + n`. */
declare function takeChunk(bucket: u32, from: usize, wordCount: u32): void

/** Begins to divide texts among the buckets of so many documents and blocks of terms; `firstTerms` are those of the blocks. */
export function startBuckets(documentCount: u32, count: u32, firstTerms: usize): void {
  bucketCount = (documentCount + (1 << BUCKET_BITS) - 1) >>> BUCKET_BITS
  blockCount = count
  blockTerms = firstTerms
  chunkWords = max(min(CHUNK_WORDS, WAITING_WORDS_MAX / (bucketCount * count + 1)), entriesMax + 2)
  buckets = heap.alloc((<usize>bucketCount * count * chunkWords) << 2)
  waiting = zeros((<usize>bucketCount * count) << 2)
  cursors = heap.alloc((<usize>count) << 2)
}

/**
 * Divides the texts of a segment, whose documents are at `documents`: the entries of each go to its document's bucket of their
 * block, after the document and how many they are.
 */
export function divide(words: usize, wordCount: u32, documents: usize): void {
  const stop = words + ((<usize>wordCount) << 2)
  while (words < stop) {
    const entryCount = load<u32>(words)
    const end = words + ((<usize>entryCount + 1) << 2)
    divideText(load<u32>(documents), words + 4, end)
    words = end
    documents += 4
  }
}

/** Hands over what waits in buckets. */
export function endBuckets(): void {
  for (let bucket: u32 = 0; bucket < bucketCount * blockCount; bucket++) handOver(bucket)
}

function divideText(document: u32, entry: usize, end: usize): void {
  const wordsMax = <u32>((end - entry) >>> 2) + 2
  for (let block: u32 = 0; block < blockCount; block++) {
    const bucket = block * bucketCount + (document >>> BUCKET_BITS)
    if (load<u32>(waiting + ((<usize>bucket) << 2)) + wordsMax > chunkWords) handOver(bucket)
    const place = endOf(bucket)
    store<u32>(place, document)
    store<u32>(cursors + ((<usize>block) << 2), <u32>place + 8)
  }
  for (; entry < end; entry += 4) {
    const value = load<u32>(entry)
    const term = value >>> POSTING_SHIFT
    let next = blockTerms + 4
    const last = blockTerms + ((<usize>blockCount) << 2)
    while (next < last && term >= load<u32>(next)) next += 4
    const cursor = cursors + (next - 4 - blockTerms)
    const place = load<u32>(cursor)
    store<u32>(<usize>place, value)
    store<u32>(cursor, place + 4)
  }
  for (let block: u32 = 0; block < blockCount; block++) {
    const bucket = block * bucketCount + (document >>> BUCKET_BITS)
    const place = endOf(bucket)
    const wordCount = (load<u32>(cursors + ((<usize>block) << 2)) - <u32>place) >>> 2
    if (wordCount === 2) continue
    store<u32>(place, wordCount - 2, 4)
    const count = waiting + ((<usize>bucket) << 2)
    store<u32>(count, load<u32>(count) + wordCount)
  }
}

function endOf(bucket: u32): usize {
  return buckets + ((<usize>bucket * chunkWords + load<u32>(waiting + ((<usize>bucket) << 2))) << 2)
}

function handOver(bucket: u32): void {
  const count = waiting + ((<usize>bucket) << 2)
  if (load<u32>(count) === 0) return
  takeChunk(bucket, buckets + ((<usize>bucket * chunkWords) << 2), load<u32>(count))
  store<u32>(count, 0)
}

/** Of each document of a bucket: where its entries stand, 0 for none. */
const found: usize = heap.alloc((<usize>1) << (BUCKET_BITS + 2))

/** Adds the postings of a bucket of `documentCount` documents from `first` on, after those of the buckets before. */
export function addPostings(words: usize, wordCount: u32, first: u32, documentCount: u32): void {
  const stop = words + ((<usize>wordCount) << 2)
  memory.fill(found, 0, (<usize>documentCount) << 2)
  while (words < stop) {
    store<u32>(found + ((<usize>(load<u32>(words) - first)) << 2), <u32>words)
    words += (<usize>load<u32>(words, 4) + 2) << 2
  }
  for (let n: u32 = 0; n < documentCount; n++) {
    const place = <usize>load<u32>(found + ((<usize>n) << 2))
    if (place !== 0) postDocument(first + n, place + 8, load<u32>(place, 4))
  }
}

function postDocument(document: u32, entry: usize, entryCount: u32): void {
  const posting = document << POSTING_SHIFT
  for (const end = entry + ((<usize>entryCount) << 2); entry < end; entry += 4) {
    const value = load<u32>(entry)
    const place = next + ((<usize>((value >>> POSTING_SHIFT) - blockTerm)) << 2)
    const to = load<u32>(place)
    store<u32>(place, to + 1)
    store<u32>(postings + ((<usize>to) << 2), posting + (value & FREQUENCY_MAX))
  }
}

/** Places and sizes of what stands here, for the caller to look at: see `Facts` of `text-kernel.ts`. */
export function fact(which: u32): f64 {
  switch (which) {
    case 0:
      return terms.bytes
    case 1:
      return terms.ends + 4
    case 2:
      return terms.slots
    case 3:
      return terms.slotCount
    case 4:
      return terms.count
    case 5:
      return textCount
    case 6:
      return <f64>tokenCount
    case 7:
      return offsets
    default:
      return 0
  }
}
