import type { Retention } from 'arus/api'
import { useSpeech } from '../text/language.tsx'

/** Share at which a cell has its full colour, above that of the first column. */
const FULL = 0.6

/** Who came back, a row per cohort; what is still under way is marked. */
export function CohortTable({ retention }: { readonly retention: Retention }) {
  const { t, format } = useSpeech()
  const { cohorts, overall, interval } = retention
  const columns = overall.map(({ period }) => period)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section className="table-box" aria-label={t('retention')} tabIndex={0}>
      <table className="cohorts">
        <thead>
          <tr>
            <th scope="col">{t(interval === 'week' ? 'weekFrom' : 'firstDay')}</th>
            <th scope="col" className="number">
              {t('shoppers')}
            </th>
            {columns.map((period) => (
              <th key={period} scope="col" className="number">
                {period}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr className="overall">
            <th scope="row">{t('allCohorts')}</th>
            <td className="number">
              {format.count(cohorts.reduce((sum, { shoppers }) => sum + shoppers, 0))}
            </td>
            {overall.map(({ period, share }) => (
              <Cell key={period} period={period} share={share} />
            ))}
          </tr>
          {cohorts.toReversed().map(({ start, shoppers, returned, complete }) => (
            <tr key={start}>
              <th scope="row">{format.day(Date.parse(start), 'UTC')}</th>
              <td className="number">{format.count(shoppers)}</td>
              {columns.map((period) => (
                <Cell
                  key={period}
                  period={period}
                  share={period < returned.length ? (returned[period] ?? 0) / shoppers : null}
                  isUnderWay={period >= complete}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface CellProps {
  readonly period: number
  readonly share: number | null
  readonly isUnderWay?: boolean
}

function Cell({ period, share, isUnderWay = false }: CellProps) {
  const { t, format } = useSpeech()
  if (share === null) return <td className="number" />
  const depth = Math.round(Math.min(1, share / (period === 0 ? 1 : FULL)) * 55)
  return (
    <td
      className="number"
      title={isUnderWay ? t('underWay') : undefined}
      style={{ background: `color-mix(in srgb, var(--accent) ${depth}%, transparent)` }}
    >
      {format.percent(share)}
      {isUnderWay ? ' *' : ''}
    </td>
  )
}
