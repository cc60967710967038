import type { Attribution, Searches } from 'arus/api'
import { useState } from 'react'
import { useAttribution } from '../api/use-attribution.ts'
import { useSearches } from '../api/use-searches.ts'
import type { PeriodQuery } from '../format/period.ts'
import { useSpeech } from '../text/language.tsx'
import { AsOf } from '../view/as-of.tsx'
import { Card } from '../view/card.tsx'
import { DataTable } from '../view/data-table.tsx'
import { Figure } from '../view/figure.tsx'
import { PageHead } from '../view/page-head.tsx'
import { Pick } from '../view/pick.tsx'
import { QueryView } from '../view/query-view.tsx'
import { usePeriod } from '../view/use-period.tsx'

const WINDOWS = [
  { value: '24h', name: 'windowDay' },
  { value: '7d', name: 'windowWeek' },
  { value: '30d', name: 'windowMonth' },
] as const
const SEARCHES = 15

type Row = Attribution['total'] & { readonly name: string }

/** `/attribution`: what came of recommendations and of searches. */
export function AttributionPage() {
  const { t } = useSpeech()
  const { period, picker } = usePeriod()
  const [window, setWindow] = useState<(typeof WINDOWS)[number]['value']>('7d')
  return (
    <>
      <PageHead title={t('attribution')} intro={t('attributionIntro')}>
        {picker}
        <Pick
          label={t('clickToPurchase')}
          value={window}
          choices={WINDOWS.map(({ value, name }) => ({ value, name: t(name) }))}
          onChange={setWindow}
        />
      </PageHead>
      <div className="grid">
        <QueryView
          query={useAttribution(period, window)}
          height={420}
          isEmpty={({ total }) => total.answers === 0}
          emptyText={t('attributionEmpty')}
        >
          {(attribution) => <Recommendations attribution={attribution} />}
        </QueryView>
        <TopSearches period={period} />
      </div>
    </>
  )
}

function Recommendations({ attribution }: { readonly attribution: Attribution }) {
  const { t, format } = useSpeech()
  const { total, by_scenario, by_position, by_model } = attribution
  const models = by_model.map(({ model, version, ...row }) => ({
    ...row,
    name: model === null ? t('withoutModel') : t('servedByModel', { name: model, version: version ?? '–' }),
  }))
  return (
    <>
      <div className="figures">
        <Figure
          name={t('productsShown')}
          value={format.short(total.shown)}
          note={t('inAnswers', { count: format.count(total.answers) })}
        />
        <Figure
          name={t('clickThrough')}
          value={format.percent(total.click_through)}
          note={t('clickedCount', { count: format.count(total.clicked) })}
        />
        <Figure
          name={t('purchases')}
          value={format.short(total.purchases)}
          note={t('afterViewOnly', { count: format.count(total.view_purchases) })}
        />
        <Figure name={t('revenue')} value={format.money(total.revenue)} note={t('shopCurrencyOnly')} />
      </div>
      <Card title={t('byScenario')}>
        <Outcomes
          label={t('byScenario')}
          first={t('scenario')}
          rows={by_scenario.map(({ scenario, ...row }) => ({ ...row, name: scenario }))}
        />
      </Card>
      <Card title={t('byModel')}>
        <Outcomes label={t('byModel')} first={t('model')} rows={models} />
      </Card>
      <Card title={t('byPosition')}>
        <Outcomes
          label={t('byPosition')}
          first={t('position')}
          rows={by_position.map(({ position, ...row }) => ({ ...row, name: String(position) }))}
        />
        <AsOf asOf={attribution.as_of} />
      </Card>
    </>
  )
}

interface OutcomesProps {
  readonly label: string
  readonly first: string
  readonly rows: readonly Row[]
}

function Outcomes({ label, first, rows }: OutcomesProps) {
  const { t, format } = useSpeech()
  const count = (name: string, of: (row: Row) => number) => ({
    name,
    cell: (row: Row) => format.count(of(row)),
    isNumber: true,
  })
  return (
    <DataTable<Row>
      label={label}
      rows={rows}
      rowKey={({ name }) => name}
      columns={[
        { name: first, cell: ({ name }) => name },
        count(t('shown'), ({ shown }) => shown),
        count(t('seen'), ({ seen }) => seen),
        count(t('clicked'), ({ clicked }) => clicked),
        {
          name: t('clickThrough'),
          cell: ({ click_through }) => format.percent(click_through),
          isNumber: true,
        },
        count(t('purchases'), ({ purchases }) => purchases),
        { name: t('revenue'), cell: ({ revenue }) => format.money(revenue), isNumber: true },
      ]}
    />
  )
}

function TopSearches({ period }: { readonly period: PeriodQuery }) {
  const { t, format } = useSpeech()
  type Query = Searches['queries'][number]
  return (
    <QueryView
      query={useSearches(period, SEARCHES)}
      height={300}
      isEmpty={({ searches }) => searches === 0}
      emptyText={t('searchesEmpty')}
    >
      {({ queries, searches, click_rate }) => (
        <Card
          title={t('topSearches')}
          note={t('searchesNote', { count: format.count(searches), share: format.percent(click_rate) })}
        >
          <DataTable<Query>
            label={t('topSearches')}
            rows={queries}
            rowKey={({ query }) => query}
            columns={[
              { name: t('search'), cell: ({ query }) => query },
              { name: t('searches'), cell: (row) => format.count(row.searches), isNumber: true },
              { name: t('clicked'), cell: (row) => format.percent(row.click_rate), isNumber: true },
              { name: t('purchase'), cell: (row) => format.percent(row.purchase_rate), isNumber: true },
              { name: t('revenue'), cell: ({ revenue }) => format.money(revenue), isNumber: true },
            ]}
          />
        </Card>
      )}
    </QueryView>
  )
}
