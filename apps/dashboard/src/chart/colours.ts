/** Colours of charts, read from the page's tokens. */
export interface ChartColours {
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly surface: string
  readonly accent: string
  readonly accentSoft: string
  readonly series: readonly string[]
  /** Colour of an action's series; the same on every page. */
  action(action: string): string
}

const ACTIONS = ['view', 'click', 'add_to_cart', 'purchase', 'remove_from_cart', 'search']
const SERIES_COUNT = 10

/** Colours of the theme in use. */
export function chartColours(): ChartColours {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const series = Array.from({ length: SERIES_COUNT }, (_, i) => token(`series-${i + 1}`))
  return {
    text: token('text'),
    muted: token('muted'),
    line: token('line'),
    surface: token('surface'),
    accent: token('accent'),
    accentSoft: token('accent-soft'),
    series,
    action(action) {
      const known = ACTIONS.indexOf(action)
      return series[known === -1 ? ACTIONS.length : known] ?? token('muted')
    },
  }
}
