import type { Heatmap } from 'arus/api'
import { useCallback, useMemo, useState } from 'react'
import { useHeatmap } from '../api/use-heatmap.ts'
import { axes, tooltip } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { AsOf } from '../view/as-of.tsx'
import { Card } from '../view/card.tsx'
import { PageHead } from '../view/page-head.tsx'
import { QueryView } from '../view/query-view.tsx'
import { usePeriod } from '../view/use-period.tsx'

const ZONES = ['UTC', 'Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura', 'Europe/London', 'America/New_York']
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'))
/** A Monday; only its weekday matters. */
const MONDAY_MS = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000

type Cells = Heatmap['cells']

/** `/heatmap`: active shoppers by weekday and hour. */
export function HeatmapPage() {
  const { t } = useSpeech()
  const { period, picker } = usePeriod()
  const [zone, setZone] = useState(ownTimeZone)
  const query = useHeatmap(period, zone)
  return (
    <>
      <PageHead title={t('heatmap')} intro={t('heatmapIntro')}>
        {picker}
        <label className="labelled">
          {t('timeZone')}
          <select className="select" value={zone} onChange={(event) => setZone(event.target.value)}>
            {[...new Set([ownTimeZone(), ...ZONES])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </PageHead>
      <QueryView
        query={query}
        height={420}
        isEmpty={({ cells }) => cells.every(({ active_users }) => active_users === 0)}
        emptyText={t('emptyEvents')}
      >
        {(heatmap) => (
          <>
            <Card title={t('heatmap')} note={`${t('activeShoppers')} · ${heatmap.time_zone}`}>
              <HeatmapChart heatmap={heatmap} />
            </Card>
            <AsOf asOf={heatmap.as_of} zone={zone} />
          </>
        )}
      </QueryView>
    </>
  )
}

function HeatmapChart({ heatmap }: { readonly heatmap: Heatmap }) {
  const { t, format, language } = useSpeech()
  const { cells, time_zone: zone } = heatmap
  const weekdays = useMemo(() => weekdayNames(language), [language])
  const peak = cells.reduce((best, cell) => (cell.active_users > best.active_users ? cell : best))
  const peakText = t('peak', {
    weekday: weekdays[peak.weekday - 1] ?? '',
    hour: `${HOURS[peak.hour]}:00`,
    count: format.count(peak.active_users),
  })
  const option = useCallback(
    (colours: ChartColours) => {
      const base = axes({ names: HOURS, value: format.count, colours })
      return {
        ...base,
        grid: { left: 4, right: 4, top: 4, bottom: 52, containLabel: true },
        tooltip: {
          ...tooltip(colours),
          trigger: 'item' as const,
          formatter: (point: unknown) => cellText(point, weekdays, format.count),
        },
        yAxis: {
          type: 'category' as const,
          data: weekdays,
          inverse: true,
          axisLine: { show: false },
          axisTick: { show: false },
          axisLabel: { color: colours.muted },
        },
        visualMap: {
          min: 0,
          max: Math.max(1, peak.active_users),
          calculable: false,
          orient: 'horizontal' as const,
          left: 'center',
          bottom: 0,
          itemWidth: 12,
          itemHeight: 140,
          textStyle: { color: colours.muted },
          text: [format.short(peak.active_users), '0'],
          inRange: { color: [colours.accentSoft, colours.accent] },
        },
        series: [{ type: 'heatmap' as const, data: points(cells), itemStyle: gap(colours) }],
      }
    },
    [cells, weekdays, peak, format],
  )
  return (
    <>
      <p className="note" style={{ marginBottom: 'var(--space-2)' }}>
        {peakText}
      </p>
      <Chart
        label={`${t('heatmap')}: ${t('activeShoppers')}, ${zone}. ${peakText}`}
        option={option}
        height={400}
      />
    </>
  )
}

const points = (cells: Cells) =>
  cells.map(({ weekday, hour, active_users }) => [hour, weekday - 1, active_users])
const gap = ({ surface }: ChartColours) => ({ borderColor: surface, borderWidth: 2, borderRadius: 4 })

function cellText(point: unknown, weekdays: readonly string[], count: (value: number) => string): string {
  const { value } = point as { readonly value: readonly [number, number, number] }
  return `${weekdays[value[1]]} ${HOURS[value[0]]}:00 – <b>${count(value[2])}</b>`
}

function weekdayNames(language: string): string[] {
  const name = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' })
  return Array.from({ length: 7 }, (_, i) => name.format(MONDAY_MS + i * DAY_MS))
}
