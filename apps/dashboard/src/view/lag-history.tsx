import type { LagHistoryBody } from 'arus/api'
import { useCallback, useState } from 'react'
import { type LagSpan, useLagHistory } from '../api/use-lag-history.ts'
import { axes } from '../chart/axes.ts'
import { Chart } from '../chart/chart.tsx'
import type { ChartColours } from '../chart/colours.ts'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { Card } from './card.tsx'
import { Empty, QueryView } from './query-view.tsx'
import { Segments } from './segments.tsx'

type Unit = 'lag' | 'lag_seconds'

const HEIGHT = 220

/** How far behind each consumer group was, in messages or seconds, over an hour or a day. */
export function LagHistoryCard() {
  const { t } = useSpeech()
  const [span, setSpan] = useState<LagSpan>('hour')
  const [unit, setUnit] = useState<Unit>('lag')
  return (
    <Card className="half" title={t('lag')} note={t(unit === 'lag' ? 'lagUnits' : 'lagSecondsUnits')}>
      <div className="controls">
        <Segments
          label={t('lagSpan')}
          value={span}
          onChange={setSpan}
          choices={[
            { value: 'hour', name: t('spanHour') },
            { value: 'day', name: t('periodDay') },
          ]}
        />
        <Segments
          label={t('lagUnit')}
          value={unit}
          onChange={setUnit}
          choices={[
            { value: 'lag', name: t('messages') },
            { value: 'lag_seconds', name: t('seconds') },
          ]}
        />
      </div>
      <QueryView query={useLagHistory(span)} height={HEIGHT}>
        {(history) => <LagChart history={history} unit={unit} />}
      </QueryView>
    </Card>
  )
}

function LagChart({ history, unit }: { readonly history: LagHistoryBody; readonly unit: Unit }) {
  const { t, format } = useSpeech()
  const option = useCallback(
    (colours: ChartColours) => ({
      ...axes({
        names: history.times.map((at) => format.time(at, ownTimeZone())),
        value: unit === 'lag' ? format.short : format.seconds,
        colours,
        legend: true,
      }),
      series: history.groups.map((group, i) => ({
        name: group.group,
        type: 'line' as const,
        data: group[unit],
        color: colours.series[i % colours.series.length] ?? '',
        showSymbol: false,
        areaStyle: { opacity: 0.12 },
        lineStyle: { width: 2 },
      })),
    }),
    [history, unit, format],
  )
  if (history.groups.length === 0) return <Empty text={t('empty')} />
  return <Chart label={`${t('lag')}: ${t('lagUnits')}`} option={option} height={HEIGHT} />
}
