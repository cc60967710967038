import { useSpeech } from '../text/language.tsx'

/** A change with its sign and direction. */
export function Growth({ change }: { readonly change: number | null }) {
  const { format } = useSpeech()
  const direction = change === null || change === 0 ? '' : change > 0 ? 'up' : 'falling'
  const arrow = direction === '' ? '' : direction === 'up' ? '↑ ' : '↓ '
  return (
    <span className={direction}>
      <span aria-hidden="true">{arrow}</span>
      {format.growth(change)}
    </span>
  )
}
