/** Drawing size, user units. */
const SIZE = 240

/** FNV-1a, 32 bit. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Initials of the first two words that begin with a letter or digit. */
export function initialsOf(title: string): string {
  const words = title.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase())
    .join('')
}

type Motif = (ink: string, seed: number) => string

const MOTIFS: readonly Motif[] = [
  (ink, seed) => [90, 64, 38].map((r) => ring(170 + (seed % 40), 60 + ((seed >>> 4) % 40), r, ink)).join(''),
  (ink, seed) =>
    [0, 1, 2, 3]
      .map((i) => {
        const y = 120 + i * 26 + (seed % 12)
        return `<path d="M-10 ${y}q35 -34 70 0t70 0t70 0t70 0" fill="none" stroke="${ink}" stroke-width="9"/>`
      })
      .join(''),
  (ink, seed) =>
    [0, 1, 2, 3, 4]
      .map((i) => {
        const height = 40 + ((seed >>> (i * 3)) % 8) * 16
        return `<rect x="${18 + i * 42}" y="${SIZE - height}" width="28" height="${height}" rx="8" fill="${ink}"/>`
      })
      .join(''),
  (ink, seed) =>
    `<path d="M-10 240L${70 + (seed % 30)} 110L150 240Z" fill="${ink}"/><path d="M90 240L${180 - (seed % 20)} 80L270 240Z" fill="${ink}"/>`,
  (ink, seed) =>
    Array.from({ length: 25 }, (_, i) => {
      const radius = 4 + ((seed >>> (i % 24)) % 4) * 2
      return `<circle cx="${24 + (i % 5) * 48}" cy="${24 + Math.floor(i / 5) * 48}" r="${radius}" fill="${ink}"/>`
    }).join(''),
  (ink, seed) =>
    [0, 1, 2, 3, 4, 5]
      .map((i) => `<path d="M${-60 + i * 60 + (seed % 30)} 250l130 -260" stroke="${ink}" stroke-width="16"/>`)
      .join(''),
]

function ring(x: number, y: number, radius: number, ink: string): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="none" stroke="${ink}" stroke-width="11"/>`
}

/**
 * A drawn picture of a product without one, as SVG text: colour and motif come from its category, their variation and
 * the initials from its title. The same product always looks the same; products of a category look related.
 */
export function placeholderSvg(title: string, category: string): string {
  const family = hashOf(category)
  const own = hashOf(title)
  const hue = (family % 360) + (own % 24) - 12
  const motif = MOTIFS[(family >>> 9) % MOTIFS.length] ?? MOTIFS[0]
  const ink = `hsl(${hue} 55% 40% / .16)`
  const initials = initialsOf(title).replace(/[<>&]/g, '')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="hsl(${hue} 62% 91%)"/><stop offset="1" stop-color="hsl(${hue + 35} 56% 80%)"/></linearGradient></defs><rect width="${SIZE}" height="${SIZE}" fill="url(#g)"/>${motif?.(ink, own) ?? ''}<text x="22" y="196" font-family="system-ui, sans-serif" font-size="54" font-weight="700" letter-spacing="-2" fill="hsl(${hue} 48% 30%)">${initials}</text></svg>`
}

/** The drawing as an address for an image. */
export function placeholderUrl(title: string, category: string): string {
  return `data:image/svg+xml,${encodeURIComponent(placeholderSvg(title, category))}`
}
