import { useCallback, useState } from 'react'

/** A choice among values that the browser remembers; where it cannot, the choice lasts as long as the page. */
export function useRemembered<T extends string>(
  key: string,
  values: readonly T[],
  initial: T,
): readonly [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => values.find((one) => one === read(key)) ?? initial)
  const choose = useCallback(
    (next: T) => {
      setValue(next)
      write(key, next)
    },
    [key],
  )
  return [value, choose]
}

function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value)
  } catch {
    // Private windows may refuse to remember; the choice still holds for this page.
  }
}
