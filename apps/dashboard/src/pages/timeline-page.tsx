import type { Timeline } from 'arus/api'
import { useCallback, useState } from 'react'
import { useTimeline } from '../api/use-timeline.ts'
import { axes } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { useSpeech } from '../text/language.tsx'
import { AsOf } from '../view/as-of.tsx'
import { Card } from '../view/card.tsx'
import { Figure } from '../view/figure.tsx'
import { INTERVAL_TEXTS } from '../view/interval.ts'
import { PageHead } from '../view/page-head.tsx'
import { QueryView } from '../view/query-view.tsx'
import { Segments } from '../view/segments.tsx'
import { usePeriod } from '../view/use-period.tsx'

const INTERVALS = ['auto', 'minute', 'hour', 'day'] as const

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

/** `/timeline`: events over time, stacked by action. */
export function TimelinePage() {
  const { t } = useSpeech()
  const { period, picker } = usePeriod()
  const [interval, setInterval] = useState<(typeof INTERVALS)[number]>('auto')
  const query = useTimeline(period, interval === 'auto' ? undefined : interval)
  return (
    <>
      <PageHead title={t('timeline')} intro={t('timelineIntro')}>
        {picker}
        <Segments
          label={t('interval')}
          value={interval}
          choices={INTERVALS.map((value) => ({ value, name: t(INTERVAL_TEXTS[value]) }))}
          onChange={setInterval}
        />
      </PageHead>
      <QueryView
        query={query}
        height={460}
        isEmpty={({ series }) => sum(series.flatMap(({ counts }) => counts)) === 0}
        emptyText={t('emptyEvents')}
      >
        {(timeline) => (
          <>
            <Totals timeline={timeline} />
            <Card
              title={t('events')}
              note={`${t('eventsPerStep', { interval: t(INTERVAL_TEXTS[timeline.interval]).toLowerCase() })} · ${timeline.time_zone} · ${t('zoomHint')}`}
            >
              <SeriesChart timeline={timeline} />
            </Card>
            <AsOf asOf={timeline.as_of} zone={timeline.time_zone} />
          </>
        )}
      </QueryView>
    </>
  )
}

function Totals({ timeline }: { readonly timeline: Timeline }) {
  const { t, format, actionName } = useSpeech()
  return (
    <div className="figures" style={{ marginBottom: 'var(--space-4)' }}>
      <Figure name={t('total')} value={format.short(sum(timeline.series.flatMap(({ counts }) => counts)))} />
      {timeline.series.slice(0, 5).map(({ action, counts }) => (
        <Figure key={action} name={actionName(action)} value={format.short(sum(counts))} />
      ))}
    </div>
  )
}

function SeriesChart({ timeline }: { readonly timeline: Timeline }) {
  const { t, format, actionName } = useSpeech()
  const { times, series, interval, time_zone: zone } = timeline
  const option = useCallback(
    (colours: ChartColours) => ({
      ...axes({
        names: times.map((ms) => (interval === 'day' ? format.day(ms, zone) : format.dateTime(ms, zone))),
        value: format.short,
        colours,
        legend: true,
        zoom: true,
      }),
      series: series.map(({ action, counts }) => ({
        name: actionName(action),
        type: 'bar' as const,
        stack: 'events',
        data: [...counts],
        large: times.length > 2_000,
        barCategoryGap: times.length > 120 ? '0%' : '20%',
        color: colours.action(action),
      })),
    }),
    [times, series, interval, zone, format, actionName],
  )
  return <Chart label={`${t('timelineIntro')}, ${zone}`} option={option} height={420} />
}
