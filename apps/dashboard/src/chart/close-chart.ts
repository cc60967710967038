/** What is needed of an ECharts instance to close it. */
export interface ClosableChart {
  clear(): void
  getZr(): { flush(): void }
  dispose(): void
}

/**
 * Closes a chart. ECharts paints many points over several frames, and fails in the frame after `dispose()` when it has not ended: a chart that is
 * painted empty first has nothing left to paint.
 */
export function closeChart(chart: ClosableChart): void {
  chart.clear()
  chart.getZr().flush()
  chart.dispose()
}
