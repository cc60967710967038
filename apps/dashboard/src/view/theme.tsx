import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo } from 'react'
import { useRemembered } from './use-remembered.ts'

const THEMES = ['light', 'dark'] as const
type Theme = (typeof THEMES)[number]

interface ThemeChoice {
  readonly theme: Theme
  toggle(): void
}

const ThemeContext = createContext<ThemeChoice>({ theme: 'light', toggle: () => {} })

/** Gives the pages their colours: those chosen before, or what the system prefers. */
export function ThemeProvider({ children }: { readonly children: ReactNode }) {
  const preferred: Theme = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  const [theme, setTheme] = useRemembered('arus.theme', THEMES, preferred)
  // Before the first paint and before charts read their colours.
  document.documentElement.dataset.theme = theme
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme
  }, [theme])
  const choice = useMemo<ThemeChoice>(
    () => ({ theme, toggle: () => setTheme(theme === 'dark' ? 'light' : 'dark') }),
    [theme, setTheme],
  )
  return <ThemeContext value={choice}>{children}</ThemeContext>
}

/** The colours in use. */
export function useTheme(): ThemeChoice {
  return useContext(ThemeContext)
}
