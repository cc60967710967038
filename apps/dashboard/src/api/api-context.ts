import { createContext, useContext } from 'react'

/** Address of the API, without a slash at its end. */
export const ApiContext = createContext('')

/** Address of the API, without a slash at its end. */
export function useApi(): string {
  return useContext(ApiContext)
}
