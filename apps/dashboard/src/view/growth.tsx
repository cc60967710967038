import { useSpeech } from '../text/language.tsx'

/** Smaller changes round to nothing. */
const NOTICEABLE = 0.005

/** A change with its sign and direction. */
export function Growth({ change }: { readonly change: number | null }) {
  const { format } = useSpeech()
  const direction = change === null || Math.abs(change) < NOTICEABLE ? '' : change > 0 ? 'up' : 'falling'
  const arrow = direction === '' ? '' : direction === 'up' ? '↑ ' : '↓ '
  return (
    <span className={direction}>
      <span aria-hidden="true">{arrow}</span>
      {format.growth(change)}
    </span>
  )
}
