import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useApi } from '../api/api-context.ts'
import { ApiFailure } from '../api/request.ts'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'

interface QueryViewProps<T> {
  readonly query: UseQueryResult<T>
  readonly isEmpty?: (data: T) => boolean
  readonly emptyText?: string
  /** Pixels kept while loading, so that nothing jumps. */
  readonly height?: number
  readonly children: (data: T) => ReactNode
}

/** Shows an answer, or that it is loading, failed, empty or stale. */
export function QueryView<T>({ query, isEmpty, emptyText, height = 160, children }: QueryViewProps<T>) {
  const { t } = useSpeech()
  const { data } = query
  if (data === undefined) {
    if (query.isError) return <Failed error={query.error} onRetry={() => void query.refetch()} />
    return (
      <div className="loading" style={{ minHeight: height }} role="status" aria-label={t('loading')}>
        <span className="shimmer" />
        <span className="shimmer" />
        <span className="shimmer" />
      </div>
    )
  }
  return (
    <>
      {query.isError ? <StaleNote atMs={query.dataUpdatedAt} /> : null}
      {isEmpty?.(data) ? <Empty text={emptyText ?? t('empty')} /> : children(data)}
    </>
  )
}

function Failed({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }) {
  const { t } = useSpeech()
  const api = useApi()
  const isSilent = error instanceof ApiFailure && error.status === 0
  return (
    <div className="state failed" role="alert">
      <p className="state-title">{t('failed')}</p>
      <p className="note">{isSilent ? t('noAnswer', { api }) : error.message}</p>
      <button type="button" className="button" onClick={onRetry}>
        {t('retry')}
      </button>
    </div>
  )
}

function StaleNote({ atMs }: { readonly atMs: number }) {
  const { t, format } = useSpeech()
  return (
    <p className="stale-note" role="status">
      {t('staleData', { time: format.time(atMs, ownTimeZone()) })}
    </p>
  )
}

/** Says that there is nothing, and why. */
export function Empty({ text }: { readonly text: string }) {
  return (
    <div className="state">
      <svg viewBox="0 0 48 32" width="48" height="32" aria-hidden="true" className="state-drawing">
        <path d="M2 12c8-10 14-10 22 0s14 10 22 0M2 24c8-10 14-10 22 0s14 10 22 0" />
      </svg>
      <p className="note">{text}</p>
    </div>
  )
}
