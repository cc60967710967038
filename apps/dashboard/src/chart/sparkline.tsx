interface SparklineProps {
  readonly values: readonly number[]
  /** Absent hides it from screen readers: the figure beside it says it already. */
  readonly label?: string
}

const WIDTH = 100
const HEIGHT = 28

/** A small line without axes. */
export function Sparkline({ values, label }: SparklineProps) {
  const points = sparkPoints(values)
  if (points === '') return <span className="sparkline" />
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role={label === undefined ? 'presentation' : 'img'}
      aria-label={label}
      aria-hidden={label === undefined}
    >
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} className="sparkline-area" />
      <polyline points={points} className="sparkline-line" />
    </svg>
  )
}

/** Points of the line in a box of 100 × 28, from 0 to the largest value; empty for fewer than two values. */
export function sparkPoints(values: readonly number[]): string {
  if (values.length < 2) return ''
  const largest = Math.max(...values, 1e-9)
  return values
    .map((value, i) => {
      const x = (i / (values.length - 1)) * WIDTH
      const y = HEIGHT - 2 - (Math.max(0, value) / largest) * (HEIGHT - 4)
      return `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`
    })
    .join(' ')
}
