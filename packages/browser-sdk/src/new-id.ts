/** Characters of an id that are its time. */
const TIME_LENGTH = 8

/** An id nobody else makes: the time, then 96 random bits, in base 36. Ids made later sort later, to the millisecond. */
export function newId(nowMs: number): string {
  return [nowMs, ...crypto.getRandomValues(new Uint32Array(3))]
    .map((part) => part.toString(36).padStart(7, '0'))
    .join('')
}

/** When an id was made. */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, TIME_LENGTH), 36)
}
