/**
 * Moves the `count` elements that come first by `isBefore` to the front of `values[0, length)`, in no particular order:
 * quickselect with the median of three (Hoare, "Algorithm 65: Find", CACM 1961). O(length) on average. `isBefore` must be a total order.
 */
export function selectFirst(
  values: Uint32Array,
  length: number,
  count: number,
  isBefore: (a: number, b: number) => boolean,
): void {
  let low = 0
  let high = length - 1
  while (low < high) {
    const pivot = medianOfThree(values[low]!, values[(low + high) >> 1]!, values[high]!, isBefore)
    let left = low
    let right = high
    while (left <= right) {
      while (isBefore(values[left]!, pivot)) left += 1
      while (isBefore(pivot, values[right]!)) right -= 1
      if (left > right) break
      const value = values[left]!
      values[left++] = values[right]!
      values[right--] = value
    }
    if (count - 1 <= right) high = right
    else if (count - 1 >= left) low = left
    else return
  }
}

function medianOfThree(a: number, b: number, c: number, isBefore: (a: number, b: number) => boolean): number {
  if (isBefore(a, b)) {
    if (isBefore(b, c)) return b
    return isBefore(a, c) ? c : a
  }
  if (isBefore(a, c)) return a
  return isBefore(b, c) ? c : b
}
