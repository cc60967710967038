import type { AttackKind } from './attack.ts'
import { ATTACKS } from './attacks.ts'

/** The list of attempts in `docs/SQL.md`, by kind. `npm run docs` writes it; a test keeps it current. */
export function attackDocs(): string {
  const kinds = [...new Set(ATTACKS.map(({ kind }) => kind))]
  return [`${ATTACKS.length} attempts:`, ...kinds.map(sectionOf)].join('\n\n')
}

function sectionOf(kind: AttackKind): string {
  const lines = ATTACKS.filter((attack) => attack.kind === kind).map(({ sql, shown, outcomes }) => {
    const text = (shown ?? String(sql)).replaceAll('\n', ' ').trim()
    return `- ${text === '' ? 'an empty text' : `\`${text}\``} → ${outcomes.join(' or ')}`
  })
  return [`### To ${kind}`, '', ...lines].join('\n')
}
