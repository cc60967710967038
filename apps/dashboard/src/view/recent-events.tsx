import type { LiveAnalyticsBody } from 'arus/api'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { Empty } from './query-view.tsx'

/** The newest events, newest first. */
export function RecentEvents({ events }: { readonly events: LiveAnalyticsBody['recent_events'] }) {
  const { t, format, actionName } = useSpeech()
  const zone = ownTimeZone()
  const today = format.day(Date.now(), zone)
  const momentOf = (ms: number) =>
    format.day(ms, zone) === today ? format.time(ms, zone) : format.dateTime(ms, zone)
  if (events.length === 0) return <Empty text={t('recentEmpty')} />
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <ul className="rows feed" aria-label={t('recentEvents')} tabIndex={0}>
      {events.map((event) => (
        <li key={event.event_id} className="row">
          <span className={`tag ${event.action}`}>{actionName(event.action)}</span>
          <span className="row-main row-title mono">{event.product_id ?? event.query ?? ''}</span>
          <span className="row-side note">
            {event.user_id ?? event.anonymous_id ?? event.session_id ?? t('anonymous')}
            {' · '}
            {momentOf(event.ts)}
          </span>
        </li>
      ))}
    </ul>
  )
}
