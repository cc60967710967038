import type { LiveAnalyticsBody } from 'arus/api'
import { useCallback } from 'react'
import { useHealth } from '../api/use-health.ts'
import { useLiveAnalytics } from '../api/use-live-analytics.ts'
import { axes } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { Sparkline } from '../chart/sparkline.tsx'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { Card } from '../view/card.tsx'
import { Figure } from '../view/figure.tsx'
import { FunnelBars } from '../view/funnel-bars.tsx'
import { PageHead } from '../view/page-head.tsx'
import { QueryView } from '../view/query-view.tsx'
import { RecentEvents } from '../view/recent-events.tsx'
import { StreamBadge } from '../view/stream-badge.tsx'
import { TrendingList } from '../view/trending-list.tsx'

/** `/`: live figures. */
export function SummaryPage() {
  const { t } = useSpeech()
  const { query, status } = useLiveAnalytics()
  return (
    <>
      <PageHead title={t('summary')} intro={t('summaryIntro')}>
        <StreamBadge status={status} />
      </PageHead>
      <QueryView query={query} height={420}>
        {(live) => (
          <div className="grid">
            <LiveFigures live={live} />
            <Card
              className="two-thirds"
              title={t('eventsPerMinute')}
              note={t('zone', { zone: ownTimeZone() })}
            >
              <MinutesChart minutes={live.events_per_minute} />
            </Card>
            <Card className="third" title={t('liveFunnel')} note={t('shoppersPerStep')}>
              <FunnelBars steps={liveSteps(live)} />
            </Card>
            <Card className="half" title={t('trendingNow')}>
              <TrendingList limit={6} />
            </Card>
            <Card className="half" title={t('recentEvents')} note={t('zone', { zone: ownTimeZone() })}>
              <RecentEvents events={live.recent_events} />
            </Card>
          </div>
        )}
      </QueryView>
    </>
  )
}

function LiveFigures({ live }: { readonly live: LiveAnalyticsBody }) {
  const { t, format } = useSpeech()
  const model = useHealth().data?.model
  const minutes = live.events_per_minute.map(({ count }) => count)
  return (
    <div className="figures" data-live={live.generated_at}>
      <Figure
        name={t('shoppers')}
        value={format.short(live.total_users)}
        note={t('shoppersSeen', { count: format.count(live.active_users) })}
      />
      <Figure
        name={t('activeSessions')}
        value={format.short(live.active_sessions)}
        note={t('eventsToday', { count: format.short(live.events_today) })}
      />
      <Figure
        name={t('eventsPerSecond')}
        value={format.decimal(live.events_per_second)}
        note={t('eventsEver', { count: format.short(live.events_total) })}
      >
        <Sparkline values={minutes} />
      </Figure>
      <Figure
        name={t('recommendationsPerMinute')}
        value={format.decimal(live.recommendations_per_minute)}
        note={model ? t('servedByModel', { ...model }) : t('noModel')}
      />
      <Figure name={t('revenueToday')} value={format.money(live.revenue_today)} note={t('shopCurrency')} />
      <Figure
        name={t('conversion')}
        value={format.percent(live.conversion.view_to_purchase)}
        note={t('viewToPurchase')}
      />
    </div>
  )
}

function MinutesChart({ minutes }: { readonly minutes: LiveAnalyticsBody['events_per_minute'] }) {
  const { t, format } = useSpeech()
  const option = useCallback(
    (colours: ChartColours) => ({
      ...axes({
        names: minutes.map(({ minute }) => format.time(minute, ownTimeZone())),
        value: format.short,
        colours,
      }),
      series: [
        {
          name: t('events'),
          type: 'bar' as const,
          data: minutes.map(({ count }) => count),
          itemStyle: { color: colours.accent, borderRadius: [3, 3, 0, 0] },
          barCategoryGap: '25%',
        },
      ],
    }),
    [minutes, format, t],
  )
  return <Chart label={t('eventsPerMinute')} option={option} height={250} />
}

function liveSteps({ funnel, conversion }: LiveAnalyticsBody) {
  return [
    { step: 'view', shoppers: funnel.view, of_previous: null },
    { step: 'click', shoppers: funnel.click, of_previous: conversion.view_to_click },
    { step: 'add_to_cart', shoppers: funnel.add_to_cart, of_previous: conversion.click_to_cart },
    { step: 'purchase', shoppers: funnel.purchase, of_previous: conversion.cart_to_purchase },
  ]
}
