import type { Funnel } from 'arus/api'
import { useCallback } from 'react'
import { useFunnel } from '../api/use-funnel.ts'
import { axes } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { useSpeech } from '../text/language.tsx'
import { AsOf } from '../view/as-of.tsx'
import { Card } from '../view/card.tsx'
import { DataTable } from '../view/data-table.tsx'
import { FunnelBars } from '../view/funnel-bars.tsx'
import { FunnelGroups } from '../view/funnel-groups.tsx'
import { PageHead } from '../view/page-head.tsx'
import { QueryView } from '../view/query-view.tsx'
import { useFunnelQuestion } from '../view/use-funnel-question.tsx'
import { usePeriod } from '../view/use-period.tsx'

const STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const

/** `/funnel`: step by step to a purchase, by day and by category. */
export function FunnelPage() {
  const { t } = useSpeech()
  const { period, picker } = usePeriod()
  const { question, controls } = useFunnelQuestion()
  return (
    <>
      <PageHead title={t('funnel')} intro={t('funnelIntro')}>
        {picker}
      </PageHead>
      <div className="grid">
        <Card title={t('chooseFunnel')}>{controls}</Card>
        <QueryView
          query={useFunnel(period, question)}
          height={420}
          isEmpty={({ as_of }) => as_of.newest_event_at === null}
          emptyText={t('emptyEvents')}
        >
          {(funnel) => (
            <>
              <Card className="third" title={t('funnelSteps')} note={t('shoppersPerStep')}>
                <FunnelBars steps={funnel.steps} />
                <Overall funnel={funnel} />
              </Card>
              <Card className="two-thirds" title={t('byDay')} note={t('shoppersPerDay')}>
                <DaysChart days={funnel.by_day} />
              </Card>
              {funnel.split_by === null ? null : (
                <Card title={t('funnelGroups')} note={t('funnelGroupsNote')}>
                  <FunnelGroups funnel={funnel} />
                </Card>
              )}
              <Card title={t('byCategory')} note={t('shoppersPerAction')}>
                <Categories categories={funnel.by_category} />
                <AsOf asOf={funnel.as_of} />
              </Card>
            </>
          )}
        </QueryView>
      </div>
    </>
  )
}

function Overall({ funnel: { steps, first_to_last } }: { readonly funnel: Funnel }) {
  const { t, format } = useSpeech()
  const share = steps.at(-1)?.of_first ?? null
  return (
    <>
      <p style={{ marginTop: 'var(--space-4)' }}>
        <span className="figure-value">{format.percent(share)}</span>{' '}
        <span className="note">{t('firstToLast')}</span>
      </p>
      {first_to_last === null ? null : (
        <p className="note">
          {t('timeToConvert', {
            median: format.seconds(first_to_last.median_ms / 1_000),
            p90: format.seconds(first_to_last.p90_ms / 1_000),
          })}
        </p>
      )}
    </>
  )
}

function DaysChart({ days }: { readonly days: Funnel['by_day'] }) {
  const { t, format, actionName } = useSpeech()
  const option = useCallback(
    (colours: ChartColours) => ({
      ...axes({
        names: days.map(({ date }) => format.day(Date.parse(date), 'UTC')),
        value: format.short,
        colours,
        legend: true,
      }),
      series: STEPS.map((step) => ({
        name: actionName(step),
        type: 'line' as const,
        data: days.map((day) => day[step]),
        showSymbol: days.length < 40,
        symbolSize: 5,
        lineStyle: { width: 2 },
        color: colours.action(step),
      })),
    }),
    [days, format, actionName],
  )
  return <Chart label={`${t('byDay')}: ${t('shoppersPerDay')}`} option={option} height={320} />
}

function Categories({ categories }: { readonly categories: Funnel['by_category'] }) {
  const { t, format, actionName } = useSpeech()
  type Row = Funnel['by_category'][number]
  return (
    <DataTable<Row>
      label={t('byCategory')}
      rows={categories}
      rowKey={({ category }) => category}
      columns={[
        { name: t('category'), cell: ({ category }) => category },
        ...STEPS.map((step) => ({
          name: actionName(step),
          cell: (row: Row) => format.count(row[step]),
          isNumber: true,
        })),
        {
          name: t('converted'),
          cell: ({ view, purchase }) => format.percent(view === 0 ? null : purchase / view),
          isNumber: true,
        },
      ]}
    />
  )
}
