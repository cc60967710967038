import type { Trends } from 'arus/api'
import { useCallback, useState } from 'react'
import { useTrending } from '../api/use-trending.ts'
import { useTrends } from '../api/use-trends.ts'
import { axes } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { Sparkline } from '../chart/sparkline.tsx'
import { useSpeech } from '../text/language.tsx'
import { AsOf } from '../view/as-of.tsx'
import { Card } from '../view/card.tsx'
import { DataTable } from '../view/data-table.tsx'
import { FallbackBadge } from '../view/fallback-badge.tsx'
import { Growth } from '../view/growth.tsx'
import { INTERVAL_TEXTS } from '../view/interval.ts'
import { PageHead } from '../view/page-head.tsx'
import { ProductPicture } from '../view/product-picture.tsx'
import { QueryView } from '../view/query-view.tsx'
import { Segments } from '../view/segments.tsx'
import { usePeriod } from '../view/use-period.tsx'

const INTERVALS = ['auto', 'hour', 'day'] as const
const PRODUCTS = 15

/** `/trends`: categories over time, and products that rise now. */
export function TrendsPage() {
  const { t } = useSpeech()
  const { period, picker } = usePeriod()
  const [interval, setInterval] = useState<(typeof INTERVALS)[number]>('auto')
  const query = useTrends(period, interval === 'auto' ? undefined : interval)
  return (
    <>
      <PageHead title={t('trends')} intro={t('trendsIntro')}>
        {picker}
        <Segments
          label={t('interval')}
          value={interval}
          choices={INTERVALS.map((value) => ({ value, name: t(INTERVAL_TEXTS[value]) }))}
          onChange={setInterval}
        />
      </PageHead>
      <div className="grid">
        <QueryView
          query={query}
          height={420}
          isEmpty={({ categories }) => categories.length === 0}
          emptyText={t('emptyEvents')}
        >
          {(trends) => (
            <>
              <Card
                title={t('viewsByCategory')}
                note={`${t('viewsPerStep', { interval: t(INTERVAL_TEXTS[trends.interval]).toLowerCase() })} · ${trends.time_zone}`}
              >
                <CategoriesChart trends={trends} />
              </Card>
              <Card title={t('categories')} note={`${t('growth')}: ${t('growthHint')}`}>
                <CategoriesTable trends={trends} />
                <AsOf asOf={trends.as_of} zone={trends.time_zone} />
              </Card>
            </>
          )}
        </QueryView>
        <Card title={t('trendingProducts')}>
          <TrendingTable />
        </Card>
      </div>
    </>
  )
}

function CategoriesChart({ trends }: { readonly trends: Trends }) {
  const { t, format } = useSpeech()
  const { times, categories, interval, time_zone: zone } = trends
  const option = useCallback(
    (colours: ChartColours) => ({
      ...axes({
        names: times.map((ms) => (interval === 'day' ? format.day(ms, zone) : format.dateTime(ms, zone))),
        value: format.short,
        colours,
        legend: true,
      }),
      series: categories.slice(0, 8).map(({ category, views }, i) => ({
        name: category,
        type: 'line' as const,
        data: [...views],
        smooth: 0.25,
        showSymbol: false,
        lineStyle: { width: 2 },
        ...(colours.series[i] === undefined ? {} : { color: colours.series[i] }),
      })),
    }),
    [times, categories, interval, zone, format],
  )
  return <Chart label={`${t('viewsByCategory')}, ${zone}`} option={option} height={340} />
}

function CategoriesTable({ trends }: { readonly trends: Trends }) {
  const { t, format } = useSpeech()
  return (
    <DataTable
      label={t('categories')}
      rows={trends.categories}
      rowKey={({ category }) => category}
      columns={[
        { name: t('category'), cell: ({ category }) => category },
        { name: t('overTime'), cell: ({ views }) => <Sparkline values={views} /> },
        { name: t('growth'), cell: ({ growth }) => <Growth change={growth} />, isNumber: true },
        { name: t('views'), cell: ({ total_views }) => format.count(total_views), isNumber: true },
        {
          name: t('purchases'),
          cell: ({ total_purchases }) => format.count(total_purchases),
          isNumber: true,
        },
        { name: t('revenue'), cell: ({ revenue }) => format.money(revenue), isNumber: true },
      ]}
    />
  )
}

function TrendingTable() {
  const { t, format } = useSpeech()
  return (
    <QueryView
      query={useTrending(PRODUCTS)}
      isEmpty={({ trending }) => trending.length === 0}
      emptyText={t('trendingEmpty')}
    >
      {({ trending, fallback }) => (
        <>
          <FallbackBadge fallback={fallback} />
          <DataTable
            label={t('trendingProducts')}
            rows={trending}
            rowKey={({ product_id }) => product_id}
            columns={[
              {
                name: t('product'),
                cell: ({ product_id, title, category, image_url }) => (
                  <span className="product-cell">
                    <ProductPicture
                      url={image_url}
                      title={title ?? product_id}
                      category={category ?? ''}
                      size={32}
                    />
                    <span>{title ?? product_id}</span>
                  </span>
                ),
              },
              { name: t('category'), cell: ({ category }) => category },
              {
                name: t('trendScore'),
                cell: ({ trend_score }) => format.decimal(trend_score, 2),
                isNumber: true,
              },
              {
                name: t('growth'),
                cell: ({ growth_rate }) => <Growth change={growth_rate} />,
                isNumber: true,
              },
              { name: t('views'), cell: ({ views_today }) => format.count(views_today), isNumber: true },
            ]}
          />
        </>
      )}
    </QueryView>
  )
}
