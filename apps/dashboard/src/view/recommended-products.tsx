import type { Recommendation } from 'arus/api'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useRecommendations } from '../api/use-recommendations.ts'
import type { ShopperAction } from '../api/use-send-event.ts'
import { useSpeech } from '../text/language.tsx'
import { Card } from './card.tsx'
import { FallbackBadge } from './fallback-badge.tsx'
import { ProductCard, type ShownProduct } from './product-card.tsx'
import { QueryView } from './query-view.tsx'
import { reasonText } from './reason.ts'
import { StreamBadge } from './stream-badge.tsx'

const LIMIT = 12

interface RecommendedProductsProps {
  readonly user: string
  readonly onAct: (action: ShopperAction, product: ShownProduct, recommendationId?: string) => void
  readonly onSimilar: (product: ShownProduct) => void
  readonly children: ReactNode
}

/** A shopper's recommendations, changing as they act. */
export function RecommendedProducts({ user, onAct, onSimilar, children }: RecommendedProductsProps) {
  const { t } = useSpeech()
  const { query, status } = useRecommendations(user, LIMIT)
  return (
    <Card title={t('recommendedFor', { user })} side={<StreamBadge status={status} />}>
      {children}
      <QueryView
        query={query}
        height={320}
        isEmpty={({ recommendations }) => recommendations.length === 0}
        emptyText={t('noRecommendations')}
      >
        {(answer) => <Answer answer={answer} onAct={onAct} onSimilar={onSimilar} />}
      </QueryView>
    </Card>
  )
}

function Answer({
  answer,
  onAct,
  onSimilar,
}: Pick<RecommendedProductsProps, 'onAct' | 'onSimilar'> & { readonly answer: Recommendation }) {
  const { t } = useSpeech()
  const { changed, changeCount } = useChanges(answer)
  return (
    <div data-changes={changeCount}>
      <AnswerBadges answer={answer} changeCount={changeCount} />
      <ol className="products" aria-label={t('recommendations')}>
        {answer.recommendations.map((product) => (
          <ProductCard
            key={product.product_id}
            product={product}
            reason={reasonText(product.reason, t)}
            isChanged={changed.has(product.product_id)}
            onAct={(action) => onAct(action, product, answer.recommendation_id)}
            onSimilar={onSimilar}
          />
        ))}
      </ol>
    </div>
  )
}

function AnswerBadges({
  answer,
  changeCount,
}: {
  readonly answer: Recommendation
  readonly changeCount: number
}) {
  const { t, format } = useSpeech()
  const { model, fallback } = answer
  return (
    <p className="badges" style={{ marginBottom: 'var(--space-3)' }}>
      {fallback === null ? <span className="badge personal">{t('personal')}</span> : null}
      <FallbackBadge fallback={fallback} />
      <span className="badge">
        {model === null ? t('noModel') : t('servedByModel', { name: model.name, version: model.version })}
      </span>
      <span className="badge">{t('answeredIn', { time: format.milliseconds(answer.took_ms) })}</span>
      <span className="badge" role="status">
        {t('changes', { count: changeCount })}
      </span>
    </p>
  )
}

/** Which products came new with the newest answer, and how often the list has changed. */
function useChanges(answer: Recommendation): {
  readonly changed: ReadonlySet<string>
  readonly changeCount: number
} {
  const before = useRef<readonly string[]>([])
  const [state, setState] = useState({ changed: new Set<string>(), changeCount: 0 })
  useEffect(() => {
    const ids = answer.recommendations.map(({ product_id }) => product_id)
    const known = before.current
    before.current = ids
    if (known.length === 0 || ids.join() === known.join()) return
    const changed = new Set(ids.filter((id) => !known.includes(id)))
    setState(({ changeCount }) => ({ changed, changeCount: changeCount + 1 }))
  }, [answer])
  return state
}
