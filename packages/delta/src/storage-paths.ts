import { DeltaError } from './errors.ts'

/** What a path given to a storage means. */
export type StoragePath =
  | { readonly kind: 'relative'; readonly path: string }
  | { readonly kind: 'uri'; readonly scheme: string; readonly uri: string }

const SCHEME = /^([a-z][a-z0-9+.-]+):\//i

/**
 * Takes a path of the `Storage` port apart. A path that starts with `/` is a `file:` URI, as Hadoop writes them. Throws
 * `DELTA_PATH_UNSUPPORTED` for a relative path with empty, `.` or `..` parts, which could leave the table's folder.
 */
export function parseStoragePath(path: string): StoragePath {
  const scheme = SCHEME.exec(path)?.[1]?.toLowerCase()
  if (scheme !== undefined) return { kind: 'uri', scheme, uri: path }
  if (path.startsWith('/')) return { kind: 'uri', scheme: 'file', uri: `file://${path}` }
  if (path !== '' && (path.includes('\0') || path.split('/').some(isOutOfPlace))) {
    throw unsupportedPath(path, 'its parts may not be empty, "." or ".."')
  }
  return { kind: 'relative', path }
}

/** The path, when it is one below the table's root. Throws `DELTA_PATH_UNSUPPORTED` otherwise. */
export function relativePath(path: string): string {
  const parsed = parseStoragePath(path)
  if (parsed.kind === 'relative') return parsed.path
  throw unsupportedPath(path, 'files outside the table are only read, never written, deleted or listed')
}

/** The refusal of a path. */
export function unsupportedPath(path: string, reason: string): DeltaError {
  return new DeltaError('DELTA_PATH_UNSUPPORTED', `Path ${JSON.stringify(path)} cannot be used: ${reason}`)
}

/** Orders strings as their UTF-8 bytes are ordered, which differs from JavaScript's order above U+D7FF. */
export function sortByBytes(names: string[]): string[] {
  return names.some(needsBytes) ? names.sort(compareBytes) : names.sort()
}

/** True when the UTF-8 bytes of `name` sort after those of `other`. */
export function sortsAfter(name: string, other: string): boolean {
  return needsBytes(name) || needsBytes(other) ? compareBytes(name, other) > 0 : name > other
}

/** True when JavaScript's order may differ from the bytes'. */
function needsBytes(name: string): boolean {
  return /[\ud800-\uffff]/.test(name)
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function isOutOfPlace(part: string): boolean {
  return part === '' || part === '.' || part === '..'
}
