import { createHash } from 'node:crypto'
import type { FileParts } from '@arus/recommenders'

/** The SHA-256 of an artefact, in hexadecimal: its name. */
export function sha256Of(parts: FileParts): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
