import type { UseQueryResult } from '@tanstack/react-query'
import type { UserBehavior } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /analytics/user_behavior`: how shoppers behave, from the lake. */
export function useUserBehavior(): UseQueryResult<UserBehavior> {
  return useGet<UserBehavior>('/analytics/user_behavior', { refreshMs: 60_000 })
}
