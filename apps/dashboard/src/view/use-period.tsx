import { type ReactNode, useMemo, useState } from 'react'
import { useUserBehavior } from '../api/use-user-behavior.ts'
import { PERIODS, type PeriodName, type PeriodQuery, periodQuery } from '../format/period.ts'
import type { TextKey } from '../text/english.ts'
import { useSpeech } from '../text/language.tsx'
import { Segments } from './segments.tsx'

const NAMES: Readonly<Record<PeriodName, TextKey>> = {
  auto: 'periodAuto',
  day: 'periodDay',
  week: 'periodWeek',
  month: 'periodMonth',
  quarter: 'periodQuarter',
}

/** The period of a page and the control that chooses it. */
export function usePeriod(): { readonly period: PeriodQuery; readonly picker: ReactNode } {
  const { t } = useSpeech()
  const [name, setName] = useState<PeriodName>('auto')
  const newestMs = useUserBehavior().data?.as_of.newest_event_at ?? null
  const period = useMemo(() => periodQuery(name, Date.now(), newestMs), [name, newestMs])
  const picker = (
    <Segments
      label={t('period')}
      value={name}
      choices={PERIODS.map((value) => ({ value, name: t(NAMES[value]) }))}
      onChange={setName}
    />
  )
  return { period, picker }
}
