import { type FormEvent, useId, useState } from 'react'
import { useProducts } from '../api/use-products.ts'
import type { ShopperAction } from '../api/use-send-event.ts'
import { useSpeech } from '../text/language.tsx'
import { ProductCard, type ShownProduct } from './product-card.tsx'
import { QueryView } from './query-view.tsx'

const LIMIT = 8

interface ProductSearchProps {
  readonly onAct?: (action: ShopperAction, product: ShownProduct) => void
  readonly onSimilar: (product: ShownProduct) => void
}

/** Finds products by the words of their titles. */
export function ProductSearch({ onAct, onSimilar }: ProductSearchProps) {
  const { t } = useSpeech()
  const [typed, setTyped] = useState('')
  const [words, setWords] = useState('')
  const field = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setWords(typed.trim())
  }
  return (
    <>
      <search>
        <form className="search-form" onSubmit={submit}>
          <label className="unseen" htmlFor={field}>
            {t('searchProducts')}
          </label>
          <input
            id={field}
            type="search"
            className="field"
            value={typed}
            maxLength={500}
            placeholder={t('searchHint')}
            onChange={(event) => setTyped(event.target.value)}
          />
          <button type="submit" className="button">
            {t('search')}
          </button>
        </form>
      </search>
      <Found words={words} onSimilar={onSimilar} {...(onAct === undefined ? {} : { onAct })} />
    </>
  )
}

function Found({ words, onAct, onSimilar }: ProductSearchProps & { readonly words: string }) {
  const { t, format } = useSpeech()
  return (
    <QueryView
      query={useProducts(words, LIMIT)}
      height={240}
      isEmpty={({ products }) => products.length === 0}
      emptyText={t('searchEmpty')}
    >
      {({ products, total, total_is_exact, took_ms }) => (
        <>
          <p className="note" style={{ margin: 'var(--space-3) 0' }}>
            {t(total_is_exact ? 'searchFound' : 'searchFoundAbout', { count: format.count(total) })}
            {' · '}
            {format.milliseconds(took_ms)}
          </p>
          <ol className="products">
            {products.map((product) => (
              <ProductCard
                key={product.product_id}
                product={product}
                onSimilar={onSimilar}
                {...(onAct === undefined ? {} : { onAct: (action: ShopperAction) => onAct(action, product) })}
              />
            ))}
          </ol>
        </>
      )}
    </QueryView>
  )
}
