import { EventSource, type EventSourceFetchInit } from 'eventsource'
import { useEffect, useState } from 'react'
import { keyHeader } from './key.ts'

/** `connecting` before the first answer, `live` while the stream is open, `stale` after it was lost. */
export type StreamStatus = 'connecting' | 'live' | 'stale'

/** Wait before a stream that was refused is opened again; the browser itself reopens one that broke. */
const REOPEN_MS = 3_000

interface StreamOptions<T> {
  /** Null opens nothing. */
  readonly url: string | null
  readonly event: string
  readonly onMessage: (body: T) => void
}

/** Follows a stream of server-sent events and keeps it open; `onMessage` must be stable. */
export function useEventStream<T>({ url, event, onMessage }: StreamOptions<T>): StreamStatus {
  const [status, setStatus] = useState<StreamStatus>('connecting')
  useEffect(() => {
    if (url === null) return
    let source: EventSource | null = null
    let timer: number | undefined
    const open = () => {
      source = new EventSource(url, { fetch: fetchWithKey })
      source.addEventListener('open', () => setStatus('live'))
      source.addEventListener(event, (message) => {
        setStatus('live')
        onMessage(JSON.parse(message.data as string) as T)
      })
      source.addEventListener('error', () => {
        setStatus('stale')
        if (source?.readyState === EventSource.CLOSED) timer = window.setTimeout(open, REOPEN_MS)
      })
    }
    setStatus('connecting')
    open()
    return () => {
      window.clearTimeout(timer)
      source?.close()
    }
  }, [url, event, onMessage])
  return status
}

/** The browser's own `EventSource` cannot send a header, and a key in an address ends up in logs. */
function fetchWithKey(url: string | URL, init: EventSourceFetchInit): Promise<Response> {
  return fetch(url, { ...init, headers: { ...init.headers, ...keyHeader() } })
}
