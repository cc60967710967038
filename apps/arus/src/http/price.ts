import Type from 'typebox'

/** A bound of prices in a query. */
export const PriceSchema = Type.Number({ minimum: 0, maximum: 1_000_000_000_000 })
