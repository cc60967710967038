import { useTrending } from '../api/use-trending.ts'
import { useSpeech } from '../text/language.tsx'
import { FallbackBadge } from './fallback-badge.tsx'
import { Growth } from './growth.tsx'
import { ProductPicture } from './product-picture.tsx'
import { QueryView } from './query-view.tsx'

/** Products that rise now, the fastest first. */
export function TrendingList({ limit }: { readonly limit: number }) {
  const { t, format } = useSpeech()
  return (
    <QueryView
      query={useTrending(limit)}
      isEmpty={(data) => data.trending.length === 0}
      emptyText={t('trendingEmpty')}
    >
      {({ trending, fallback }) => (
        <>
          <FallbackBadge fallback={fallback} />
          <ol className="rows">
            {trending.map((product) => (
              <li key={product.product_id} className="row">
                <ProductPicture
                  url={product.image_url}
                  title={product.title ?? product.product_id}
                  category={product.category ?? ''}
                  size={40}
                />
                <div className="row-main">
                  <p className="row-title">{product.title ?? product.product_id}</p>
                  <p className="note">{product.category}</p>
                </div>
                <div className="row-side">
                  <p>
                    <Growth change={product.growth_rate} />
                  </p>
                  <p className="note">{t('viewsToday', { count: format.count(product.views_today) })}</p>
                </div>
              </li>
            ))}
          </ol>
        </>
      )}
    </QueryView>
  )
}
