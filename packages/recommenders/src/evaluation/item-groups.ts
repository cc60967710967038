/** Which group (category, brand) each item belongs to. */
export interface ItemGroups {
  readonly groupCount: number
  /** Group of each item; -1 where it is not known. */
  readonly groups: Int32Array
}
