import type { UseQueryResult } from '@tanstack/react-query'
import type { ModelsBody } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /models`: trained versions, newest first. */
export function useModels(): UseQueryResult<ModelsBody> {
  return useGet<ModelsBody>('/models', { refreshMs: 15_000 })
}
