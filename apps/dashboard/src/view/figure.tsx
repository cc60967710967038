import type { ReactNode } from 'react'

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly note?: string | undefined
  readonly children?: ReactNode
}

/** One number with its name. */
export function Figure({ name, value, note, children }: FigureProps) {
  return (
    <div className="card figure">
      <p className="figure-name">{name}</p>
      <p className="figure-value">{value}</p>
      {note === undefined ? null : <p className="note">{note}</p>}
      {children}
    </div>
  )
}
