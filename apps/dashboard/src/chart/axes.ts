import type { ChartColours } from './colours.ts'
import type { ChartOption } from './echarts.ts'

interface Axes {
  /** Names along the bottom. */
  readonly names: readonly string[]
  /** Formats a value of the upright axis and of the tooltip. */
  readonly value: (value: number) => string
  readonly colours: ChartColours
  readonly legend?: boolean
  readonly zoom?: boolean
}

/** What charts with names along the bottom and values upright have in common. */
export function axes({ names, value, colours, legend = false, zoom = false }: Axes): ChartOption {
  return {
    animation: false,
    textStyle: { fontFamily: 'Inter, system-ui, sans-serif' },
    color: [...colours.series],
    grid: { left: 4, right: 8, top: legend ? 40 : 12, bottom: zoom ? 56 : 4, containLabel: true },
    legend: {
      show: legend,
      type: 'scroll',
      top: 0,
      left: 0,
      icon: 'roundRect',
      itemWidth: 10,
      itemHeight: 10,
      textStyle: { color: colours.text },
      pageTextStyle: { color: colours.muted },
      pageIconColor: colours.text,
      pageIconInactiveColor: colours.line,
      inactiveColor: colours.line,
    },
    tooltip: {
      ...tooltip(colours),
      trigger: 'axis',
      valueFormatter: (figure) => (typeof figure === 'number' ? value(figure) : String(figure ?? '–')),
    },
    xAxis: {
      type: 'category',
      data: [...names],
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { show: false },
      axisLabel: {
        color: colours.muted,
        hideOverlap: true,
        // Steps shorter than a minute share a name: it is written once.
        ...(new Set(names).size === names.length
          ? {}
          : { interval: (i: number) => i === 0 || names[i] !== names[i - 1] }),
      },
    },
    yAxis: {
      type: 'value',
      splitNumber: 4,
      minInterval: 1,
      axisLabel: { color: colours.muted, formatter: (figure: number) => value(figure) },
      splitLine: { lineStyle: { color: colours.line } },
    },
    ...(zoom
      ? {
          dataZoom: [
            { type: 'inside', zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false },
            {
              type: 'slider',
              height: 28,
              bottom: 8,
              borderColor: colours.line,
              fillerColor: colours.accentSoft,
              handleStyle: { color: colours.accent, borderColor: colours.accent },
              moveHandleStyle: { color: colours.accent, opacity: 0.4 },
              dataBackground: {
                lineStyle: { color: colours.muted },
                areaStyle: { color: colours.line },
              },
              selectedDataBackground: {
                lineStyle: { color: colours.accent },
                areaStyle: { color: colours.accentSoft },
              },
              showDetail: false,
              brushSelect: false,
            },
          ],
        }
      : {}),
  }
}

/** How tooltips look. */
export function tooltip(colours: ChartColours) {
  return {
    backgroundColor: colours.surface,
    borderColor: colours.line,
    textStyle: { color: colours.text, fontSize: 12 },
    confine: true,
  }
}
