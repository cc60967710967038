/** Tells the shop's developer; the page goes on. */
export function warn(what: unknown): void {
  console.warn('arus:', what)
}
