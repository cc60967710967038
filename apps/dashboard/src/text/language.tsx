import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react'
import { type Format, formatOf } from '../format/format.ts'
import { useRemembered } from '../view/use-remembered.ts'
import { type Dictionary, english, type TextKey } from './english.ts'
import { fill } from './fill.ts'
import { indonesian } from './indonesian.ts'

const LANGUAGES = ['en', 'id'] as const
type Language = (typeof LANGUAGES)[number]
const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { en: english, id: indonesian }

interface Speech {
  readonly language: Language
  readonly format: Format
  /** The text of a key, with its places filled. */
  t(key: TextKey, values?: Readonly<Record<string, string | number>>): string
  /** The name of an action; one that has none is shown as it is. */
  actionName(action: string): string
  toggle(): void
}

const SpeechContext = createContext<Speech | null>(null)

/** Gives the pages their language: the one chosen before, or the browser's. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const own: Language = navigator.language.startsWith('id') ? 'id' : 'en'
  const [language, setLanguage] = useRemembered('arus.language', LANGUAGES, own)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const speech = useMemo<Speech>(() => {
    const dictionary = DICTIONARIES[language]
    return {
      language,
      format: formatOf(language),
      t: (key, values = {}) => fill(dictionary[key], values),
      actionName: (action) => (action in dictionary ? dictionary[action as TextKey] : action),
      toggle: () => setLanguage(language === 'en' ? 'id' : 'en'),
    }
  }, [language, setLanguage])
  return <SpeechContext value={speech}>{children}</SpeechContext>
}

/** Texts and formats of the language in use. */
export function useSpeech(): Speech {
  const speech = useContext(SpeechContext)
  if (speech === null) throw new TypeError('useSpeech needs a LanguageProvider above it')
  return speech
}
