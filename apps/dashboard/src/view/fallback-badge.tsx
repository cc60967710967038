import type { Recommendation } from 'arus/api'
import { useSpeech } from '../text/language.tsx'

const TEXTS = {
  session: 'fallbackSession',
  trending: 'fallbackTrending',
  popular: 'fallbackPopular',
  static: 'fallbackStatic',
} as const

/** Which level answered, where it was not the one asked for. */
export function FallbackBadge({ fallback }: Pick<Recommendation, 'fallback'>) {
  const { t } = useSpeech()
  return fallback === null ? null : <span className="badge fallback">{t(TEXTS[fallback])}</span>
}
