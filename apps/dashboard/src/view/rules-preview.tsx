import type { RulesPreviewBody } from 'arus/api'
import { type FormEvent, useId, useState } from 'react'
import { usePreviewRules } from '../api/use-rules.ts'
import { useSpeech } from '../text/language.tsx'
import { DataTable } from './data-table.tsx'
import { Empty } from './query-view.tsx'

const EXAMPLE = '{ "kind": "cap", "name": "Not more than two of a kind", "per_category": 2 }'

/** Tries rules on one shopper's answer; nothing is kept. */
export function RulesPreview() {
  const { t } = useSpeech()
  const [user, setUser] = useState('')
  const [scenario, setScenario] = useState('home')
  const [rules, setRules] = useState(EXAMPLE)
  const preview = usePreviewRules()
  const id = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    preview.mutate({ user: user.trim(), scenario: scenario.trim(), rules })
  }
  return (
    <>
      <form className="rules-form" onSubmit={submit}>
        <label htmlFor={`${id}-user`}>{t('shopper')}</label>
        <input
          id={`${id}-user`}
          className="field"
          value={user}
          maxLength={512}
          placeholder={t('shopperHint')}
          onChange={(event) => setUser(event.target.value)}
        />
        <label htmlFor={`${id}-scenario`}>{t('ruleScenario')}</label>
        <input
          id={`${id}-scenario`}
          className="field"
          value={scenario}
          maxLength={40}
          onChange={(event) => setScenario(event.target.value)}
        />
        <label htmlFor={`${id}-rules`}>{t('ruleJson')}</label>
        <textarea
          id={`${id}-rules`}
          className="field mono"
          rows={4}
          spellCheck={false}
          value={rules}
          onChange={(event) => setRules(event.target.value)}
        />
        <button type="submit" className="button primary" disabled={preview.isPending}>
          {t('rulePreview')}
        </button>
      </form>
      {preview.isError ? (
        <p className="told bad" role="status">
          {preview.error.message}
        </p>
      ) : null}
      {preview.data === undefined ? null : <Changes preview={preview.data} />}
    </>
  )
}

function Changes({ preview }: { readonly preview: RulesPreviewBody }) {
  const { t } = useSpeech()
  if (preview.changes.length === 0) return <Empty text={t('ruleNoChange')} />
  return (
    <DataTable
      label={t('ruleChanges')}
      rows={preview.changes}
      rowKey={({ product_id }) => product_id}
      columns={[
        { name: t('ruleBefore'), cell: ({ rank_before }) => rank_before ?? '–', isNumber: true },
        { name: t('ruleAfter'), cell: ({ rank_after }) => rank_after ?? '–', isNumber: true },
        {
          name: t('product'),
          cell: ({ product_id, title }) => <span className="wide-cell">{title ?? product_id}</span>,
        },
        { name: t('why'), cell: ({ rules }) => rules.map(({ name }) => name).join(', ') },
      ]}
    />
  )
}
