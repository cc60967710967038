import type { Retention } from 'arus/api'
import { useState } from 'react'
import { useRetention } from '../api/use-retention.ts'
import { useSpeech } from '../text/language.tsx'
import { AsOf } from '../view/as-of.tsx'
import { Card } from '../view/card.tsx'
import { CohortTable } from '../view/cohort-table.tsx'
import { PageHead } from '../view/page-head.tsx'
import { QueryView } from '../view/query-view.tsx'
import { Segments } from '../view/segments.tsx'
import { usePeriod } from '../view/use-period.tsx'

const INTERVALS = ['week', 'day'] as const
const RETURNS = ['any', 'purchase'] as const

/** `/retention`: who comes back, by when they came first. */
export function RetentionPage() {
  const { t } = useSpeech()
  const { period, picker } = usePeriod()
  const [interval, setInterval] = useState<Retention['interval']>('week')
  const [back, setBack] = useState<(typeof RETURNS)[number]>('any')
  const query = useRetention(period, { interval, return_action: back === 'any' ? undefined : back })
  return (
    <>
      <PageHead title={t('retention')} intro={t('retentionIntro')}>
        {picker}
        <Segments
          label={t('interval')}
          value={interval}
          choices={INTERVALS.map((value) => ({
            value,
            name: t(value === 'week' ? 'intervalWeek' : 'intervalDay'),
          }))}
          onChange={setInterval}
        />
        <Segments
          label={t('backWith')}
          value={back}
          choices={RETURNS.map((value) => ({ value, name: t(value === 'any' ? 'backWithAny' : 'purchase') }))}
          onChange={setBack}
        />
      </PageHead>
      <QueryView
        query={query}
        height={420}
        isEmpty={({ cohorts }) => cohorts.length === 0}
        emptyText={t('emptyEvents')}
      >
        {(retention) => (
          <>
            <Card
              title={t('cohorts')}
              note={t(retention.interval === 'week' ? 'cohortsByWeek' : 'cohortsByDay')}
            >
              <CohortTable retention={retention} />
              <p className="note">* {t('underWay')}</p>
            </Card>
            <AsOf asOf={retention.as_of} zone={retention.time_zone} />
          </>
        )}
      </QueryView>
    </>
  )
}
