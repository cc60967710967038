/** The Trino that answers SQL. */
export interface TrinoSettings {
  /** `http://host:8080`, without a slash at its end. */
  readonly url: string
  /** A catalog of the Delta Lake connector; the shop's schemas `bronze`, `silver` and `gold` are in it. */
  readonly catalog: string
  readonly user: string
  /** A secret; null where Trino asks for none. */
  readonly password: string | null
}
