import { useEffect, useRef } from 'react'
import { useSimilar } from '../api/use-similar.ts'
import { useSpeech } from '../text/language.tsx'
import { ProductCard, type ShownProduct } from './product-card.tsx'
import { QueryView } from './query-view.tsx'
import { reasonText } from './reason.ts'

const LIMIT = 8

interface SimilarDrawerProps {
  readonly product: ShownProduct
  readonly onClose: () => void
}

/** Products like one, over the page; Escape closes. */
export function SimilarDrawer({ product, onClose }: SimilarDrawerProps) {
  const { t } = useSpeech()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal()
  }, [])
  const title = t('similarTo', { product: product.title ?? product.product_id })
  return (
    <dialog ref={dialog} className="drawer" aria-label={title} onClose={onClose}>
      <header className="card-head">
        <h2 style={{ flex: 1, minWidth: 0 }}>{title}</h2>
        <button type="button" className="button small" onClick={() => dialog.current?.close()}>
          {t('close')}
        </button>
      </header>
      <QueryView
        query={useSimilar(product.product_id, LIMIT)}
        height={240}
        isEmpty={({ recommendations }) => recommendations.length === 0}
      >
        {({ recommendations }) => (
          <ol className="products">
            {recommendations.map((similar) => (
              <ProductCard
                key={similar.product_id}
                product={similar}
                reason={reasonText(similar.reason, t)}
              />
            ))}
          </ol>
        )}
      </QueryView>
    </dialog>
  )
}
