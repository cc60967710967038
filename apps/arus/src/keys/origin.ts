/** Names by which a machine calls itself. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a host, as settings and addresses name it, is this machine alone. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host === '::1'
}

/** An origin as browsers send it (`https://shop.example`, RFC 6454); null for a text that is none. */
export function originOf(text: string): string | null {
  if (!URL.canParse(text)) return null
  const { origin, protocol, pathname, search, hash, username } = new URL(text)
  const isBare = pathname === '/' && search === '' && hash === '' && username === ''
  return isBare && (protocol === 'https:' || protocol === 'http:') ? origin : null
}

/** Whether pages of `origin` come from the machine that is called `host` (name, maybe with port), or from this one. */
export function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(origin)
  return LOOPBACK.has(hostname) || hostname === new URL(`http://${host}`).hostname
}
