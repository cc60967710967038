import { useEffect, useRef } from 'react'
import { useTheme } from '../view/theme.tsx'
import { closeChart } from './close-chart.ts'
import { type ChartColours, chartColours } from './colours.ts'
import { type ChartOption, openChart } from './echarts.ts'

interface ChartProps {
  /** What the chart shows, with units, for those who do not see it. */
  readonly label: string
  /** Pixels. Default 260. */
  readonly height?: number
  readonly option: (colours: ChartColours) => ChartOption
}

/** A chart that follows its data, its width and the theme. */
export function Chart({ label, height = 260, option }: ChartProps) {
  const element = useRef<HTMLDivElement>(null)
  const chart = useRef<ReturnType<typeof openChart> | null>(null)
  const { theme } = useTheme()
  useEffect(() => {
    if (element.current === null) return
    const opened = openChart(element.current)
    chart.current = opened
    const observer = new ResizeObserver(() => opened.resize())
    observer.observe(element.current)
    return () => {
      observer.disconnect()
      closeChart(opened)
      chart.current = null
    }
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the tokens that the colours are read from
  useEffect(() => {
    chart.current?.setOption(option(chartColours()), { replaceMerge: ['series'] })
  }, [option, theme])
  return <div ref={element} role="img" aria-label={label} className="chart" style={{ height }} />
}
