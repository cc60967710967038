/** A path of the log as on disk, and back. Paths that are not well encoded are taken as they stand. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const ABSOLUTE = /^([a-z][a-z0-9+.-]*:|\/)/i

const UNTIDY = /(?:^|\/)\.?(?=\/|$)/

/** A relative path without the empty parts and dots that others read over. */
function tidied(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.join('/')
}

/** A path of the log as `Storage` takes it: relative paths decoded, URIs as they stand, bare absolute paths as `file:` URIs. */
export function storagePath(path: string): string {
  if (!ABSOLUTE.test(path)) {
    const decoded = decodePath(path)
    return UNTIDY.test(decoded) ? tidied(decoded) : decoded
  }
  return path.startsWith('/') ? `file://${path}` : path
}

/** A path relative to the root, as the log spells it: each part URI-encoded, `=` left readable. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/').replaceAll('%3D', '=')
}

/** One spelling for paths that mean the same file, as the key of a file: as `storagePath`, `file:/a` and `file:///a` as `/a`. */
export function canonicalPath(path: string): string {
  const decoded = decodePath(path)
  if (decoded.startsWith('file:')) return decoded.replace(/^file:\/{1,3}(?=[^/])/, '/')
  return UNTIDY.test(decoded) && !ABSOLUTE.test(decoded) ? tidied(decoded) : decoded
}
