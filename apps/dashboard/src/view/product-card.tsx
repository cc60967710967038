import type { ReactNode } from 'react'
import type { ShopperAction } from '../api/use-send-event.ts'
import { useSpeech } from '../text/language.tsx'
import { ProductPicture } from './product-picture.tsx'

const ACTIONS: readonly ShopperAction[] = ['view', 'click', 'add_to_cart', 'purchase']

/** What a card shows; products and recommended products both have it. */
export interface ShownProduct {
  readonly product_id: string
  readonly title: string | null
  readonly category: string | null
  readonly price: number | null
  readonly list_price: number | null
  readonly image_url: string | null
  readonly stars: number | null
  readonly reviews: number | null
  readonly rank?: number
}

interface ProductCardProps {
  readonly product: ShownProduct
  readonly reason?: string
  readonly isChanged?: boolean
  /** Absent: the product cannot be acted on. */
  readonly onAct?: (action: ShopperAction, product: ShownProduct) => void
  readonly onSimilar?: (product: ShownProduct) => void
}

/** A product with its picture, facts and what a shopper can do with it. */
export function ProductCard({ product, reason, isChanged = false, onAct, onSimilar }: ProductCardProps) {
  const { t, actionName } = useSpeech()
  const title = product.title ?? product.product_id
  return (
    <li className={isChanged ? 'product changed' : 'product'} data-product={product.product_id}>
      <div className="product-picture">
        <ProductPicture url={product.image_url} title={title} category={product.category ?? ''} />
        {product.rank === undefined ? null : (
          <span className="rank" title={t('rank', { rank: product.rank })}>
            {product.rank}
          </span>
        )}
      </div>
      <p className="product-title" title={title}>
        {title}
      </p>
      <p className="note">{product.category}</p>
      <div className="product-facts">
        <Price price={product.price} listPrice={product.list_price} />
        <Stars stars={product.stars} reviews={product.reviews} />
      </div>
      {reason === undefined ? null : (
        <p className="reason" title={reason}>
          {reason}
        </p>
      )}
      <div className="actions">
        {onAct === undefined
          ? null
          : ACTIONS.map((action) => (
              <Button
                key={action}
                name={actionName(action)}
                label={t('act', { action: actionName(action), product: title })}
                action={action}
                onClick={() => onAct(action, product)}
              />
            ))}
        {onSimilar === undefined ? null : (
          <Button
            name={t('similar')}
            label={t('act', { action: t('similar'), product: title })}
            action="similar"
            onClick={() => onSimilar(product)}
          />
        )}
      </div>
    </li>
  )
}

interface ButtonProps {
  readonly name: string
  readonly label: string
  readonly action: string
  readonly onClick: () => void
}

function Button({ name, label, action, onClick }: ButtonProps): ReactNode {
  const className = action === 'similar' ? 'button wide' : 'button'
  return (
    <button type="button" className={className} aria-label={label} data-action={action} onClick={onClick}>
      {name}
    </button>
  )
}

function Price({ price, listPrice }: { readonly price: number | null; readonly listPrice: number | null }) {
  const { format } = useSpeech()
  return (
    <span className="price">
      {format.money(price)}
      {listPrice !== null && price !== null && listPrice > price ? (
        <del className="list-price">{format.money(listPrice)}</del>
      ) : null}
    </span>
  )
}

function Stars({ stars, reviews }: { readonly stars: number | null; readonly reviews: number | null }) {
  const { t, format } = useSpeech()
  if (stars === null || (stars === 0 && !reviews)) return null
  const spoken = t('stars', { stars: format.decimal(stars), reviews: format.count(reviews ?? 0) })
  return (
    <span className="note" role="img" aria-label={spoken} title={spoken}>
      ★ {format.decimal(stars)} · {format.short(reviews ?? 0)}
    </span>
  )
}
