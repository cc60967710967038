import type { RecommendedProduct } from 'arus/api'
import type { TextKey } from '../text/english.ts'

type Reason = RecommendedProduct['reason']

const TEXTS: Readonly<Record<Reason['kind'], TextKey>> = {
  because_of: 'reasonBecauseOf',
  similar: 'reasonSimilar',
  bought_together: 'reasonBoughtTogether',
  seen_together: 'reasonSeenTogether',
  session: 'reasonSession',
  trending: 'reasonTrending',
  popular: 'reasonPopular',
  static: 'reasonStatic',
  pinned: 'reasonPinned',
}

/** Why a product is recommended, as a sentence. */
export function reasonText(
  { kind, because_of }: Reason,
  t: (key: TextKey, values?: Readonly<Record<string, string>>) => string,
): string {
  const product = because_of?.title ?? because_of?.product_id ?? t('reasonYourPast')
  return t(TEXTS[kind], { product })
}
