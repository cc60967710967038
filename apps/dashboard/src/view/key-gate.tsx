import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { rememberedKey, rememberKey } from '../api/key.ts'
import { ApiFailure } from '../api/request.ts'
import { useModels } from '../api/use-models.ts'
import { useSpeech } from '../text/language.tsx'

/** Shows the pages once the API takes the key of this tab; where it asks for none, at once. */
export function KeyGate({ children }: { readonly children: ReactNode }) {
  const { error } = useModels()
  const isRefused = error instanceof ApiFailure && (error.status === 401 || error.status === 403)
  return isRefused ? <KeyForm refusal={rememberedKey() === null ? null : error.message} /> : children
}

function KeyForm({ refusal }: { readonly refusal: string | null }) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const [typed, setTyped] = useState('')
  const field = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    rememberKey(typed.trim())
    setTyped('')
    void client.resetQueries()
  }
  return (
    <section className="card">
      <h1>{t('keyTitle')}</h1>
      <p className="note">{t('keyHint')}</p>
      <form className="search-form" onSubmit={submit}>
        <label className="unseen" htmlFor={field}>
          {t('keyLabel')}
        </label>
        <input
          id={field}
          type="password"
          className="field"
          autoComplete="off"
          required
          value={typed}
          placeholder="sk_… / ak_…"
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit" className="button primary">
          {t('keyUse')}
        </button>
      </form>
      {refusal === null ? null : (
        <p className="note" role="alert">
          {refusal}
        </p>
      )}
    </section>
  )
}
