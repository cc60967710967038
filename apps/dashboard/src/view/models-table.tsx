import { useModels } from '../api/use-models.ts'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { DataTable } from './data-table.tsx'
import { QueryView } from './query-view.tsx'

/** Trained versions, newest first. */
export function ModelsTable() {
  const { t, format } = useSpeech()
  const quality = (metrics: Readonly<Record<string, number>> | undefined) =>
    Object.entries(metrics ?? {})
      .slice(0, 3)
      .map(([name, value]) => `${name} ${format.decimal(value, 3)}`)
      .join(' · ')
  return (
    <QueryView query={useModels()} isEmpty={({ models }) => models.length === 0} emptyText={t('noModel')}>
      {({ models }) => (
        <DataTable
          label={t('models')}
          rows={models}
          rowKey={({ version }) => String(version)}
          columns={[
            { name: t('model'), cell: ({ kind, version }) => <b>{`${kind} v${version}`}</b> },
            {
              name: t('status'),
              cell: ({ status }) => <span className={`badge ${status}`}>{t(status)}</span>,
            },
            {
              name: t('trained'),
              cell: ({ trained_at }) => format.dateTime(trained_at, ownTimeZone()),
            },
            {
              name: t('quality'),
              cell: ({ metrics, kind }) => (
                <span className="mono wide-cell">{quality(metrics[kind] ?? Object.values(metrics)[0])}</span>
              ),
            },
            {
              name: t('why'),
              cell: ({ reason, session }) => (
                <span className="note wide-cell">{[reason, session?.reason].filter(Boolean).join('; ')}</span>
              ),
            },
          ]}
        />
      )}
    </QueryView>
  )
}
