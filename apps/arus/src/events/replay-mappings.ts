/** One row of a file, by column name. */
export type Row = Readonly<Record<string, string>>

/** How a file of real events becomes events: data, so that users can write their own as JSON. */
export interface ReplayMapping {
  /** Between fields. Default a comma. */
  readonly delimiter?: string
  /** Columns of the file. */
  readonly columns: {
    readonly ts: string
    readonly product_id: string
    readonly user_id?: string
    readonly session_id?: string
    readonly action?: string
    readonly price?: string
    readonly quantity?: string
    readonly order_id?: string
  }
  /** What the file's times are: Unix seconds or milliseconds, or a text read as UTC. */
  readonly time: 'seconds' | 'milliseconds' | 'text'
  /** The file's words for actions. A word that is not here is sent as it is. */
  readonly actions?: Readonly<Record<string, string>>
  /** For files without a column of actions. */
  readonly defaultAction?: string
  /** A negative quantity means this action, with the quantity made positive. */
  readonly negativeQuantity?: string
}

/** Mappings of well-known files. */
export const REPLAY_MAPPINGS: Readonly<Record<string, ReplayMapping>> = {
  retailrocket: {
    columns: { ts: 'ts', user_id: 'user', product_id: 'item', action: 'event' },
    time: 'seconds',
    actions: { cart: 'add_to_cart', buy: 'purchase', addtocart: 'add_to_cart', transaction: 'purchase' },
  },
  rees46: {
    columns: {
      ts: 'event_time',
      user_id: 'user_id',
      session_id: 'user_session',
      product_id: 'product_id',
      action: 'event_type',
      price: 'price',
    },
    time: 'text',
    actions: { cart: 'add_to_cart' },
  },
  yoochoose: {
    delimiter: '\t',
    columns: { ts: 'Time', session_id: 'SessionId', product_id: 'ItemId' },
    time: 'seconds',
    defaultAction: 'click',
  },
  uci: {
    columns: {
      ts: 'InvoiceDate',
      user_id: 'CustomerID',
      product_id: 'StockCode',
      price: 'UnitPrice',
      quantity: 'Quantity',
      order_id: 'InvoiceNo',
    },
    time: 'text',
    defaultAction: 'purchase',
    negativeQuantity: 'return',
  },
}
