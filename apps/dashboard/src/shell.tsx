import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { useApi } from './api/api-context.ts'
import { useHealth } from './api/use-health.ts'
import { useSpeech } from './text/language.tsx'
import { KeyGate } from './view/key-gate.tsx'
import { useTheme } from './view/theme.tsx'

const PAGES = [
  { to: '/', name: 'summary', icon: 'M3 13h6V3H3zM11 17h6V8h-6zM3 17h6v-2H3zM11 6h6V3h-6z' },
  {
    to: '/recommendations',
    name: 'recommendations',
    icon: 'M10 3l2.2 4.5 4.8.7-3.5 3.4.8 4.9L10 14.2l-4.3 2.3.8-4.9L3 8.2l4.8-.7z',
  },
  { to: '/funnel', name: 'funnel', icon: 'M3 4h14l-5.5 6.5V16l-3 1.5v-7z' },
  { to: '/retention', name: 'retention', icon: 'M16 10a6 6 0 1 1-2-4.5M14 2v4h-4' },
  { to: '/attribution', name: 'attribution', icon: 'M10 3v4M10 7l-5 5M10 7l5 5M3 12h4v4H3zM13 12h4v4h-4z' },
  { to: '/timeline', name: 'timeline', icon: 'M3 16l4-6 3.5 3L17 5M3 17.5h14' },
  {
    to: '/heatmap',
    name: 'heatmap',
    icon: 'M3 3h4v4H3zM8 3h4v4H8zM13 3h4v4h-4zM3 8h4v4H3zM8 8h4v4H8zM13 8h4v4h-4zM3 13h4v4H3zM8 13h4v4H8zM13 13h4v4h-4z',
  },
  { to: '/trends', name: 'trends', icon: 'M3 14l5-5 3 3 6-7M12.5 5H17v4.5' },
  { to: '/rules', name: 'rules', icon: 'M3 5h14M3 10h14M3 15h14M7 3v4M13 8v4M6 13v4' },
  { to: '/system', name: 'system', icon: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01' },
] as const

/** What surrounds every page: brand, pages, language and colours. */
export function Shell() {
  const { t } = useSpeech()
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <header className="side">
        <Brand />
        <Pages />
        <Choices />
      </header>
      <main id="content" tabIndex={-1}>
        <KeyGate>
          <Outlet />
        </KeyGate>
      </main>
    </div>
  )
}

/** On a phone the pages are a strip: the one in view is scrolled into sight. */
function Pages() {
  const { t } = useSpeech()
  const strip = useRef<HTMLElement>(null)
  const path = useLocation({ select: ({ pathname }) => pathname })
  useEffect(() => {
    const current = strip.current?.querySelector(`[href="${CSS.escape(path)}"]`)
    current?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [path])
  return (
    <nav ref={strip} aria-label={t('navigation')} className="nav">
      {PAGES.map(({ to, name, icon }) => (
        <Link key={to} to={to} activeOptions={{ exact: to === '/' }} className="nav-link">
          <Icon path={icon} />
          {t(name)}
        </Link>
      ))}
    </nav>
  )
}

function Brand() {
  const health = useHealth().data
  return (
    <div className="brand">
      <img src="/arus.svg" alt="" width="32" height="32" />
      <div>
        <p className="brand-name">Arus</p>
        {health === undefined ? null : <p className="brand-shop">{health.shop}</p>}
      </div>
    </div>
  )
}

function Choices() {
  const { t, language, toggle: toggleLanguage } = useSpeech()
  const { theme, toggle: toggleTheme } = useTheme()
  const api = useApi()
  const isDark = theme === 'dark'
  return (
    <div className="choices">
      <a className="docs-link" href={`${api}/docs`} target="_blank" rel="noreferrer">
        {t('apiDocs')}
      </a>
      <IconButton label={t('languageSwitch')} name="language" onClick={toggleLanguage}>
        {language.toUpperCase()}
      </IconButton>
      <IconButton label={t(isDark ? 'themeLight' : 'themeDark')} name="theme" onClick={toggleTheme}>
        <Icon
          path={
            isDark
              ? 'M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1 1M14.7 14.7l1 1M15.7 4.3l-1 1M5.3 14.7l-1 1'
              : 'M16.5 11.8A7 7 0 018.2 3.5a7 7 0 108.3 8.3z'
          }
        />
      </IconButton>
    </div>
  )
}

interface IconButtonProps {
  readonly label: string
  readonly name: string
  readonly onClick: () => void
  readonly children: ReactNode
}

function IconButton({ label, name, onClick, children }: IconButtonProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      data-choice={name}
      onClick={onClick}
    >
      {children}
    </button>
  )
}

function Icon({ path }: { readonly path: string }) {
  return (
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" className="icon">
      <path d={path} />
    </svg>
  )
}
