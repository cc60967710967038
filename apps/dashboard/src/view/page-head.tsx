import type { ReactNode } from 'react'

interface PageHeadProps {
  readonly title: string
  readonly intro: string
  readonly children?: ReactNode
}

/** Title of a page with its controls. */
export function PageHead({ title, intro, children }: PageHeadProps) {
  return (
    <div className="page-head">
      <div>
        <h1>{title}</h1>
        <p className="intro">{intro}</p>
      </div>
      <div className="controls">{children}</div>
    </div>
  )
}
