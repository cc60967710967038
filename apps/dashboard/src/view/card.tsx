import { type ReactNode, useId } from 'react'

interface CardProps {
  readonly title: string
  /** Units, or what is counted. */
  readonly note?: string
  /** Controls at the right of the title. */
  readonly side?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}

/** A titled part of a page. */
export function Card({ title, note, side, className = '', children }: CardProps) {
  const id = useId()
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <header className="card-head">
        <div>
          <h2 id={id}>{title}</h2>
          {note === undefined ? null : <p className="note">{note}</p>}
        </div>
        {side}
      </header>
      {children}
    </section>
  )
}
