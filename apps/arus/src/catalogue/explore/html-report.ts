import type { ColumnFacts, ExploreReport, Histogram } from './report.ts'

const WIDTH = 360
const HEIGHT = 120

/** The report as one page that needs nothing else: plots are inline SVG, light and dark. */
export function htmlReport(report: ExploreReport): string {
  const { file, columns, duplicates, samples, categories, five_vs } = report
  const numeric = columns.filter((column) => column.statistics !== null)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(file.path)}</title><style>${STYLE}</style></head><body><main>
<h1>${escaped(file.path.split('/').at(-1) ?? file.path)}</h1>
<p>${figure(file.rows)} rows × ${file.columns} columns, ${figure(file.size_bytes / 1e6)} MB, ${figure(file.unreadable_rows)} unreadable rows. ${figure(duplicates.rows)} rows repeat an earlier row${duplicates.asin === null ? '' : `, ${figure(duplicates.asin)} an earlier asin`}. All figures are exact.</p>
<h2>The five Vs</h2><div class="cards">${five_vs.map(({ name, figures }) => `<section><h3>${name}</h3>${figures.map(({ what, value, unit }) => `<p><b>${figure(value)}</b> ${escaped(unit)}<br><small>${escaped(what)}</small></p>`).join('')}</section>`).join('')}</div>
<h2>Columns</h2>${table(
    ['column', 'type', 'missing', 'missing %', 'distinct', 'most frequent'],
    columns.map(({ name, type, missing, missing_share, distinct, top }) => [
      name,
      type,
      figure(missing),
      (100 * missing_share).toFixed(2),
      figure(distinct),
      top
        .slice(0, 3)
        .map(({ value, count }) => `${value.slice(0, 40)} (${figure(count)})`)
        .join(', '),
    ]),
  )}
<h2>Distributions</h2><div class="plots">${numeric.map(plot).join('')}</div>
<h2>Statistics</h2>${table(['column', 'count', 'mean', 'std', 'min', '25 %', 'median', '75 %', 'max'], numeric.map(statisticsRow))}
${
  categories === null
    ? ''
    : `<h2>Categories</h2><p>${figure(categories.categories)} categories, ${figure(categories.unmatched_products)} products of an unknown one, ${figure(categories.unused)} without a product.</p>${table(
        ['largest', 'products'],
        categories.largest.map(({ name, products }) => [name, figure(products)]),
      )}`
}
<h2>Samples</h2>${table(
    Object.keys(samples[0] ?? {}),
    samples.map((row) => Object.values(row).map((value) => (value ?? '–').slice(0, 60))),
  )}
</main></body></html>
`
}

function plot({ name, histogram, statistics }: ColumnFacts): string {
  if (histogram === null || statistics === null) return ''
  return `<figure><figcaption>${escaped(name)} <small>median ${figure(statistics.median)}, ${histogram.scale} bins</small></figcaption>${bars(name, histogram)}</figure>`
}

function bars(name: string, { bins }: Histogram): string {
  const most = Math.max(1, ...bins.map((bin) => bin.count))
  const step = WIDTH / bins.length
  const rectangles = bins.map(({ from, to, count }, n) => {
    const height = (count / most) * HEIGHT
    return `<rect x="${(n * step).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}" width="${(step - 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${figure(from)} – ${figure(to)}: ${figure(count)}</title></rect>`
  })
  const [first, last] = [bins[0]!, bins.at(-1)!]
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 16}" role="img" aria-label="Histogram of ${escaped(name)}">${rectangles.join('')}<text x="0" y="${HEIGHT + 13}">${figure(first.from)}</text><text x="${WIDTH}" y="${HEIGHT + 13}" text-anchor="end">${figure(last.to)}</text></svg>`
}

function statisticsRow({ name, statistics }: ColumnFacts): string[] {
  if (statistics === null) return [name]
  const { count, mean, std, min, q25, median, q75, max } = statistics
  return [name, ...[count, mean, std ?? Number.NaN, min, q25, median, q75, max].map(figure)]
}

function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, values: readonly string[]) =>
    values.map((value) => `<${tag}>${escaped(value)}</${tag}>`).join('')
  return `<div class="wide"><table><thead><tr>${cells('th', headers)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function figure(value: number): string {
  return Number.isNaN(value) ? '–' : new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(value)
}

const STYLE = `:root{color-scheme:light dark;--bar:#2563eb;--line:#8884}
body{font:15px/1.5 system-ui,sans-serif;margin:0}main{max-width:1080px;margin:auto;padding:24px}
h2{margin-top:40px}.cards,.plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(190px,1fr))}
.plots{grid-template-columns:repeat(auto-fit,minmax(300px,1fr))}section,figure{border:1px solid var(--line);border-radius:10px;padding:14px;margin:0}
h3{margin:0;text-transform:capitalize}rect{fill:var(--bar)}text{font-size:11px;fill:currentColor;opacity:.7}svg{width:100%}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);white-space:nowrap}small{opacity:.7}`
