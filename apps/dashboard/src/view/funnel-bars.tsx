import { useSpeech } from '../text/language.tsx'

interface FunnelBarsProps {
  readonly steps: readonly {
    readonly step: string
    readonly shoppers: number
    readonly of_previous: number | null
    /** Time from the step before; absent where it is not known. */
    readonly from_previous?: { readonly median_ms: number } | null
  }[]
}

/** Steps of a funnel as bars, each with its share of the step before. */
export function FunnelBars({ steps }: FunnelBarsProps) {
  const { t, format, actionName } = useSpeech()
  const widest = Math.max(1, ...steps.map(({ shoppers }) => shoppers))
  return (
    <ol className="funnel">
      {steps.map(({ step, shoppers, of_previous, from_previous }, i) => (
        <li key={step}>
          <div className="funnel-text">
            <span className="funnel-name">{actionName(step)}</span>
            <span className="funnel-count">{format.count(shoppers)}</span>
          </div>
          <div className="funnel-track">
            <div
              hidden={shoppers === 0}
              className={`funnel-bar step-${i + 1}`}
              style={{ width: `${(shoppers / widest) * 100}%` }}
            />
          </div>
          {i === 0 ? null : (
            <p className="note">
              {t('ofPrevious', { share: format.percent(of_previous) })}
              {from_previous
                ? ` · ${t('medianTime', { time: format.seconds(from_previous.median_ms / 1_000) })}`
                : ''}
            </p>
          )}
        </li>
      ))}
    </ol>
  )
}
