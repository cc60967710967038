import type { Funnel } from 'arus/api'
import { type ReactNode, useState } from 'react'
import type { FunnelQuestion } from '../api/use-funnel.ts'
import { useUserBehavior } from '../api/use-user-behavior.ts'
import type { TextKey } from '../text/english.ts'
import { useSpeech } from '../text/language.tsx'
import { Pick } from './pick.tsx'
import { StepChooser } from './step-chooser.tsx'

const USUAL_STEPS: readonly string[] = ['view', 'click', 'add_to_cart', 'purchase']
const ACTIONS_MAX = 10
const ORDERS: Readonly<Record<Funnel['order'], TextKey>> = {
  strict: 'orderStrict',
  exact: 'orderExact',
  any: 'orderAny',
}
const WINDOWS = {
  none: 'windowNone',
  '30m': 'windowHalfHour',
  '1h': 'windowHour',
  '24h': 'windowDay',
  '7d': 'windowWeek',
} as const
const SPLITS = { none: 'splitNone', category: 'category', device: 'device' } as const

interface Choice {
  readonly steps: readonly string[]
  readonly order: Funnel['order']
  readonly window: keyof typeof WINDOWS
  readonly split: keyof typeof SPLITS
}

/** The funnel of a page and the controls that choose it. */
export function useFunnelQuestion(): { readonly question: FunnelQuestion; readonly controls: ReactNode } {
  const { t } = useSpeech()
  const [choice, setChoice] = useState<Choice>({
    steps: USUAL_STEPS,
    order: 'strict',
    window: 'none',
    split: 'none',
  })
  const change = (part: Partial<Choice>) => setChoice({ ...choice, ...part })
  const named = <K extends string>(texts: Readonly<Record<K, TextKey>>) =>
    (Object.keys(texts) as K[]).map((value) => ({ value, name: t(texts[value]) }))
  const recorded = useUserBehavior().data?.actions.map(({ action }) => action) ?? []
  const controls = (
    <>
      <StepChooser
        steps={choice.steps}
        actions={[...new Set([...USUAL_STEPS, ...recorded])].slice(0, ACTIONS_MAX)}
        onChange={(steps) => change({ steps })}
      />
      <div className="controls">
        <Pick
          label={t('stepOrder')}
          value={choice.order}
          choices={named(ORDERS)}
          onChange={(order) => change({ order })}
        />
        <Pick
          label={t('within')}
          value={choice.window}
          choices={named(WINDOWS)}
          onChange={(window) => change({ window })}
        />
        <Pick
          label={t('splitBy')}
          value={choice.split}
          choices={named(SPLITS)}
          onChange={(split) => change({ split })}
        />
      </div>
    </>
  )
  return { question: questionOf(choice), controls }
}

/** The usual steps are left to the API, which passes over those that the shop does not record. */
function questionOf({ steps, order, window, split }: Choice): FunnelQuestion {
  const isUsual = steps.join() === USUAL_STEPS.join()
  return {
    steps: isUsual ? undefined : steps.join(','),
    order: order === 'strict' ? undefined : order,
    window: window === 'none' ? undefined : window,
    split_by: split === 'none' ? undefined : split,
  }
}
