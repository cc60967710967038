import { Link } from '@tanstack/react-router'
import { useSpeech } from '../text/language.tsx'

/** Any path that no page has. */
export function NotFoundPage() {
  const { t } = useSpeech()
  return (
    <div className="state">
      <h1>{t('notFound')}</h1>
      <Link to="/" className="button">
        {t('backToSummary')}
      </Link>
    </div>
  )
}
