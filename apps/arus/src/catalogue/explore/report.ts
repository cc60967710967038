/** The report on a CSV file, as a plain value. All figures are exact. */
export interface ExploreReport {
  readonly file: FileFacts
  readonly columns: readonly ColumnFacts[]
  readonly duplicates: DuplicateFacts
  /** First rows, by column. */
  readonly samples: readonly Readonly<Record<string, string | null>>[]
  /** How products and categories go together; null without categories. */
  readonly categories: CategoryLink | null
  readonly five_vs: readonly FiveV[]
  readonly took_ms: number
}

export interface FileFacts {
  readonly path: string
  readonly size_bytes: number
  readonly rows: number
  readonly columns: number
  /** Lines that could not be read as rows of the header's columns; not in any other figure. */
  readonly unreadable_rows: number
}

export type ColumnType = 'integer' | 'decimal' | 'boolean' | 'timestamp' | 'text' | 'empty'

export interface ColumnFacts {
  readonly name: string
  readonly type: ColumnType
  readonly missing: number
  /** 0 to 1. */
  readonly missing_share: number
  readonly distinct: number
  /** Most frequent values, at most five. */
  readonly top: readonly { readonly value: string; readonly count: number }[]
  /** Characters of the shortest and longest value. */
  readonly length: { readonly min: number; readonly max: number } | null
  readonly statistics: Statistics | null
  readonly histogram: Histogram | null
}

export interface Statistics {
  readonly count: number
  readonly mean: number
  /** Sample standard deviation; null for a single value. */
  readonly std: number | null
  readonly min: number
  readonly q25: number
  readonly median: number
  readonly q75: number
  readonly max: number
  readonly sum: number
  readonly zeros: number
}

export interface Histogram {
  /** Bins are equally wide in the value, or in its logarithm where the values reach far. */
  readonly scale: 'linear' | 'logarithmic'
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[]
}

export interface DuplicateFacts {
  /** Rows that repeat an earlier row as a whole. */
  readonly rows: number
  /** Rows that repeat an earlier asin; null where there is no such column. */
  readonly asin: number | null
}

export interface CategoryLink {
  readonly path: string
  readonly categories: number
  /** Products whose category is not among them. */
  readonly unmatched_products: number
  readonly unmatched_ids: readonly string[]
  /** Categories without a product. */
  readonly unused: number
  readonly largest: readonly { readonly name: string; readonly products: number }[]
}

export interface FiveV {
  readonly name: 'volume' | 'velocity' | 'variety' | 'veracity' | 'value'
  readonly figures: readonly { readonly what: string; readonly value: number; readonly unit: string }[]
}
