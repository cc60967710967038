import { useState } from 'react'
import { placeholderUrl } from './placeholder.ts'

interface PictureProps {
  readonly url: string | null
  readonly title: string
  readonly category: string
  /** Pixels of the square; absent fills what holds it. */
  readonly size?: number
}

/** The picture of a product where it loads, its drawing until then and elsewhere. */
export function ProductPicture({ url, title, category, size }: PictureProps) {
  const [failedUrl, setFailedUrl] = useState<string | null>(null)
  const [loadedUrl, setLoadedUrl] = useState<string | null>(null)
  const isShown = url?.startsWith('https://') === true && url !== failedUrl
  const box = size === undefined ? {} : { width: size, height: size }
  return (
    <span className="picture" style={box}>
      <img src={placeholderUrl(title, category)} alt="" />
      {isShown ? (
        <img
          src={url}
          alt=""
          loading="lazy"
          referrerPolicy="no-referrer"
          className={loadedUrl === url ? 'photo shown' : 'photo'}
          onLoad={() => setLoadedUrl(url)}
          onError={() => setFailedUrl(url)}
        />
      ) : null}
    </span>
  )
}
