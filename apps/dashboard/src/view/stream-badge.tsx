import type { StreamStatus } from '../api/use-event-stream.ts'
import { useSpeech } from '../text/language.tsx'

const NAMES = { live: 'streamLive', connecting: 'streamConnecting', stale: 'streamStale' } as const

/** Says whether a stream is live. */
export function StreamBadge({ status }: { readonly status: StreamStatus }) {
  const { t } = useSpeech()
  return (
    <span className={`badge stream-${status}`} role="status" data-stream={status}>
      <span className="dot" aria-hidden="true" />
      {t(NAMES[status])}
    </span>
  )
}
