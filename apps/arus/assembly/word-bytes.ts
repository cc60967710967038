/** What bytes are to a word, and the ends of plurals, as `apps/arus/src/catalogue/tokenizer.ts` tells them. */
import { zeros } from './byte-table'

// Kinds of bytes; a greater one is a letter, in lower case, or a digit.
export const SEPARATOR: u32 = 0
export const PASSED_OVER: u32 = 1
export const BEYOND_ASCII: u32 = 2
export const KINDS = zeros(256)
for (let code: u32 = 0; code < 256; code++) store<u8>(KINDS + code, kindOf(code))

function kindOf(code: u32): u32 {
  if (code >= 128) return BEYOND_ASCII
  if (code === 39) return PASSED_OVER
  const lower = code | 32
  return (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57) ? lower : SEPARATOR
}

/** Bytes of the word at `token` without the sign of its plural. */
export function withoutPlural(token: usize, byteCount: usize): usize {
  const last = token + byteCount - 1
  if (byteCount < 4 || load<u8>(last) !== 115) return byteCount
  const second: u32 = load<u8>(last - 1)
  if (second !== 101) return second === 117 || second === 115 || second < 97 ? byteCount : byteCount - 1
  const third: u32 = load<u8>(last - 2)
  const fourth: u32 = load<u8>(last - 3)
  if (third === 105) {
    if (byteCount < 5 || fourth === 97 || fourth === 101) return byteCount - 1
    store<u8>(last - 2, 121)
    return byteCount - 2
  }
  const dropsBoth =
    third === 120 || (third === 115 && fourth === 115) || (third === 104 && (fourth === 99 || fourth === 115))
  return dropsBoth ? byteCount - 2 : byteCount - 1
}
