import type { Funnel } from 'arus/api'
import { useSpeech } from '../text/language.tsx'

/** Where historical figures come from, and how new they are. */
export function AsOf({ asOf, zone = 'UTC' }: { readonly asOf: Funnel['as_of']; readonly zone?: string }) {
  const { t, format } = useSpeech()
  const tables = Object.entries(asOf.table_versions)
    .map(([table, version]) => `${table}@${version}`)
    .join(', ')
  const newest = asOf.newest_event_at
  return (
    <p className="as-of">
      {newest === null
        ? t('asOfNone', { tables })
        : t('asOf', { tables, time: format.dateTime(newest, zone) })}
      {' · '}
      {t('zone', { zone })}
    </p>
  )
}
