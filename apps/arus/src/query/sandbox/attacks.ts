import type { Attack } from './attack.ts'
import { ESCAPES } from './escape-attacks.ts'
import { EXHAUSTIONS } from './exhaustion-attacks.ts'

/** Every attempt; the test runs each, docs/SQL.md lists them. */
export const ATTACKS: readonly Attack[] = [...ESCAPES, ...EXHAUSTIONS]
