import { createHash } from 'node:crypto'

/** Longest id an event may have, in characters. */
const ID_LENGTH_MAX = 256

/** A text as an id: itself, or its hash where it is too long for one. */
export function idOfText(text: string): string {
  return text.length <= ID_LENGTH_MAX ? text : `sha256-${hashOf(text)}`
}

/** SHA-256 of a text, in 43 characters that any id may hold. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/**
 * A session's id that no other visitor has. GA4 and RudderStack number sessions by the time they began, so two
 * visitors may share a number. What is no id is left as it is, for ingest to refuse.
 */
export function sessionIdOf(session: unknown, visitor: unknown): unknown {
  return isId(session) && isId(visitor) ? idOfText(`${visitor}.${session}`) : session
}

/** Whether a value is a text or a number, as ids are. */
export function isId(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}
