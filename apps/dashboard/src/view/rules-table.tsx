import type { RuleBody } from 'arus/api'
import { useSwitchRule } from '../api/use-rules.ts'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { DataTable } from './data-table.tsx'

/** What every rule has, shown in columns of its own. */
const COMMON: ReadonlySet<string> = new Set([
  'id',
  'kind',
  'name',
  'enabled',
  'scenarios',
  'starts_at',
  'ends_at',
  'created_at',
  'updated_at',
])
/** Ids and names shown of a list. */
const SHOWN = 3

/** All rules, each with its switch. */
export function RulesTable({ rules }: { readonly rules: readonly RuleBody[] }) {
  const { t, format } = useSpeech()
  const switchRule = useSwitchRule()
  const when = ({ starts_at, ends_at }: RuleBody) => {
    const [from, to] = [starts_at, ends_at].map((ms) =>
      ms === null ? '' : format.dateTime(ms, ownTimeZone()),
    )
    return from === '' && to === '' ? t('ruleAlways') : `${from} – ${to}`
  }
  return (
    <>
      <DataTable
        label={t('rules')}
        rows={rules}
        rowKey={({ id }) => id}
        columns={[
          { name: t('ruleName'), cell: ({ name }) => <b>{name}</b> },
          { name: t('ruleKind'), cell: ({ kind }) => <span className="badge">{kind}</span> },
          {
            name: t('ruleFields'),
            cell: (rule) => <span className="mono wide-cell">{fieldsOf(rule)}</span>,
          },
          {
            name: t('ruleScenarios'),
            cell: ({ scenarios }) => scenarios.join(', ') || t('ruleEverywhere'),
          },
          { name: t('ruleWhen'), cell: when },
          {
            name: t('status'),
            cell: (rule) => (
              <button
                type="button"
                className="button small"
                aria-pressed={rule.enabled}
                aria-label={`${rule.name}: ${t(rule.enabled ? 'ruleOn' : 'ruleOff')}`}
                disabled={switchRule.isPending}
                onClick={() => switchRule.mutate(rule)}
              >
                {t(rule.enabled ? 'ruleOn' : 'ruleOff')}
              </button>
            ),
          },
        ]}
      />
      {switchRule.isError ? (
        <p className="told bad" role="status">
          {switchRule.error.message}
        </p>
      ) : null}
    </>
  )
}

function fieldsOf(rule: RuleBody): string {
  return Object.entries(rule)
    .filter(([name]) => !COMMON.has(name))
    .map(([name, value]) => `${name} ${Array.isArray(value) ? listOf(value) : String(value)}`)
    .join(' · ')
}

function listOf(values: readonly unknown[]): string {
  const more = values.length - SHOWN
  return values.slice(0, SHOWN).join(', ') + (more > 0 ? ` +${more}` : '')
}
