import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type ShopperAction, useSendEvent } from '../api/use-send-event.ts'
import { useSpeech } from '../text/language.tsx'
import { Card } from '../view/card.tsx'
import { PageHead } from '../view/page-head.tsx'
import type { ShownProduct } from '../view/product-card.tsx'
import { ProductSearch } from '../view/product-search.tsx'
import { Empty } from '../view/query-view.tsx'
import { RecommendedProducts } from '../view/recommended-products.tsx'
import { ShopperPicker } from '../view/shopper-picker.tsx'
import { SimilarDrawer } from '../view/similar-drawer.tsx'

/** What became of the event sent last. */
interface Told {
  readonly text: string
  readonly isBad: boolean
}

/** `/recommendations`: be a shopper, act, and see the list follow. */
export function RecommendationsPage() {
  const { t, actionName } = useSpeech()
  const { user = '' } = useSearch({ from: '/recommendations' })
  const navigate = useNavigate()
  const [similarTo, setSimilarTo] = useState<ShownProduct | null>(null)
  const [told, setTold] = useState<Told | null>(null)
  const send = useSendEvent()

  const act = (action: ShopperAction, product: ShownProduct, recommendationId?: string) => {
    send.mutate(
      {
        user_id: user,
        action,
        product_id: product.product_id,
        ...(product.price === null ? {} : { price: product.price }),
        ...(action === 'purchase' ? { quantity: 1, order_id: `dashboard-${Date.now()}` } : {}),
        ...(recommendationId === undefined ? {} : { recommendation_id: recommendationId }),
        ...(recommendationId === undefined || product.rank === undefined ? {} : { position: product.rank }),
      },
      {
        onSuccess: ({ errors }) => {
          const [refusal] = errors
          if (refusal !== undefined)
            setTold({ text: t('sendFailed', { reason: refusal.reason }), isBad: true })
          else {
            const name = product.title ?? product.product_id
            setTold({ text: t('sent', { action: actionName(action), product: name }), isBad: false })
          }
        },
        onError: ({ message }) => setTold({ text: t('sendFailed', { reason: message }), isBad: true }),
      },
    )
  }

  return (
    <>
      <PageHead title={t('recommendations')} intro={t('recommendationsIntro')} />
      <div className="grid">
        <Card title={t('shopper')}>
          <ShopperPicker
            key={user}
            user={user}
            onPick={(picked) => void navigate({ to: '/recommendations', search: { user: picked } })}
          />
        </Card>
        {user === '' ? (
          <Card title={t('recommendations')}>
            <Empty text={t('chooseShopper')} />
          </Card>
        ) : (
          <RecommendedProducts key={user} user={user} onAct={act} onSimilar={setSimilarTo}>
            <p className={told?.isBad ? 'told bad' : 'told'} role="status">
              {told?.text}
            </p>
          </RecommendedProducts>
        )}
        <Card title={t('searchProducts')}>
          <ProductSearch {...(user === '' ? {} : { onAct: act })} onSimilar={setSimilarTo} />
        </Card>
      </div>
      {similarTo === null ? null : <SimilarDrawer product={similarTo} onClose={() => setSimilarTo(null)} />}
    </>
  )
}
