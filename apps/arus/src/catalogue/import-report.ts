/** Why a row of the file is reported, and what became of it. */
export const REJECTION_REASONS = {
  broken_quote: 'dropped',
  wrong_column_count: 'dropped',
  not_utf8: 'dropped',
  stray_carriage_return: 'dropped',
  record_too_long: 'dropped',
  missing_asin: 'dropped',
  missing_title: 'dropped',
  field_too_long: 'dropped',
  not_a_number: 'dropped',
  not_a_whole_number: 'dropped',
  not_a_boolean: 'dropped',
  stars_out_of_range: 'dropped',
  number_out_of_range: 'dropped',
  negative_number: 'dropped',
  /** The first row of an asin is kept; each later one is reported. */
  duplicate_asin: 'dropped',
  /** The product is kept, without a category. */
  unknown_category: 'kept',
  /** A row of the categories file. */
  category_row_invalid: 'dropped',
} as const

export type RejectionReason = keyof typeof REJECTION_REASONS

/** A row that landed in `bronze.rejected_products`. */
export interface Rejection {
  /** Physical line in the file, from 1 (the header). */
  readonly line: number
  readonly reason: RejectionReason
  readonly detail: string
  /** The row, or what of it could be read; cut at 500 characters. */
  readonly text: string
}

/** What an import did. Row counts are of the products file. */
export interface ImportReport {
  readonly products_file: string
  readonly categories_file: string | null
  /** Records in the file without the header: imported plus dropped. */
  readonly rows_read: number
  readonly rows_imported: number
  readonly rows_dropped: number
  /** Rows by reason, only reasons that occurred; those of kind "kept" are among the imported. */
  readonly rejected: Readonly<Partial<Record<RejectionReason, number>>>
  /** The first rejections of each reason, by line. */
  readonly examples: readonly Rejection[]
  readonly categories: number
  readonly catalogue_version: string
  readonly table_versions: Readonly<Record<string, number>>
  readonly took_ms: number
}

/** Examples given per reason. */
export const EXAMPLES_PER_REASON = 3
