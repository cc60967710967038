import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { closeChart } from './close-chart.ts'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const why = existsSync(executablePath) ? '' : ` (skipped: there is no Chromium at ${executablePath})`

/** Troubles of a page in which a chart of many points is closed while it is still being painted. */
async function troublesOf(close: string): Promise<string[]> {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run']
  const browser = await chromium.launch({ executablePath, args })
  try {
    const page = await browser.newPage()
    const troubles: string[] = []
    page.on('pageerror', ({ message }) => void troubles.push(message))
    await page.setContent('<div id="chart" style="width: 800px; height: 400px"></div>')
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js') })
    await page.evaluate(`(async () => {
      const close = ${close}
      const frame = () => new Promise((done) => requestAnimationFrame(done))
      const data = Array.from({ length: 50_000 }, (_, i) => [i, (i * 7919) % 1_000])
      const series = [{ type: 'scatter', progressive: 50_000, progressiveThreshold: 1_000, data }]
      for (const frames of [1, 2]) {
        const chart = echarts.init(document.getElementById('chart'))
        chart.setOption({ animation: false, xAxis: { type: 'value' }, yAxis: { type: 'value' }, series })
        for (let n = 0; n < frames; n++) await frame()
        close(chart)
        await frame()
        await frame()
      }
    })()`)
    return troubles
  } finally {
    await browser.close()
  }
}

test.skipIf(why !== '')(`a chart that is closed while it is painted paints no more${why}`, async () => {
  expect(await troublesOf('(chart) => chart.dispose()'), 'ECharts fails by itself').not.toEqual([])
  expect(await troublesOf(String(closeChart))).toEqual([])
})
