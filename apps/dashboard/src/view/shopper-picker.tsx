import { type FormEvent, useId, useState } from 'react'
import { useUserBehavior } from '../api/use-user-behavior.ts'
import { useSpeech } from '../text/language.tsx'
import { QueryView } from './query-view.tsx'

const SUGGESTIONS = 8

interface ShopperPickerProps {
  readonly user: string
  readonly onPick: (user: string) => void
}

/** Chooses a shopper: any id, one of the busiest, or a new one. */
export function ShopperPicker({ user, onPick }: ShopperPickerProps) {
  const { t } = useSpeech()
  const [typed, setTyped] = useState(user)
  const field = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (typed.trim() !== '') onPick(typed.trim())
  }
  return (
    <>
      <form className="shopper-form" onSubmit={submit}>
        <label className="unseen" htmlFor={field}>
          {t('shopper')}
        </label>
        <input
          id={field}
          className="field"
          value={typed}
          maxLength={512}
          placeholder={t('shopperHint')}
          autoComplete="off"
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit" className="button primary">
          {t('show')}
        </button>
      </form>
      <Suggestions user={user} onPick={onPick} />
    </>
  )
}

function Suggestions({ user, onPick }: ShopperPickerProps) {
  const { t } = useSpeech()
  return (
    <QueryView query={useUserBehavior()} height={44}>
      {({ top_users }) => (
        <div className="chips">
          <span className="note">{t('busiestShoppers')}</span>
          {top_users.slice(0, SUGGESTIONS).map(({ user_id }) => (
            <button
              key={user_id}
              type="button"
              className="chip"
              aria-pressed={user_id === user}
              onClick={() => onPick(user_id)}
            >
              {user_id}
            </button>
          ))}
          <button type="button" className="chip" onClick={() => onPick(`guest-${Date.now().toString(36)}`)}>
            + {t('newShopper')}
          </button>
        </div>
      )}
    </QueryView>
  )
}
