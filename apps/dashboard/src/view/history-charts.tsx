import type { SystemMetrics } from 'arus/api'
import { useCallback } from 'react'
import { axes } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'

type History = SystemMetrics['history']
interface HistoryProps {
  readonly history: History
}
const HEIGHT = 220

/** Messages produced and processed per second, of the last ten minutes. */
export function ThroughputChart({ history }: HistoryProps) {
  const { t, format } = useSpeech()
  const option = useCallback(
    (colours: ChartColours) => ({
      ...axes({
        names: history.map(({ at }) => format.time(at, ownTimeZone())),
        value: format.decimal,
        colours,
        legend: true,
      }),
      series: [
        line(
          t('produced'),
          history.map((point) => point.produced_per_second),
          colours.series[0] ?? '',
        ),
        line(
          t('processed'),
          history.map((point) => point.processed_per_second),
          colours.series[1] ?? '',
        ),
      ],
    }),
    [history, format, t],
  )
  return <Chart label={`${t('throughput')}: ${t('throughputUnits')}`} option={option} height={HEIGHT} />
}

function line(name: string, data: number[], color: string) {
  return {
    name,
    type: 'line' as const,
    data,
    color,
    showSymbol: false,
    areaStyle: { opacity: 0.12 },
    lineStyle: { width: 2 },
  }
}
