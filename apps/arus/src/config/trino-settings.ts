import type { SettingReader } from './setting-reader.ts'

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

/** Null when none is named. */
export function readTrinoSettings(reader: SettingReader): TrinoSettings | null {
  const url = reader.httpAddress('TRINO_URL')
  if (url === null) return null
  const catalog = reader.match('TRINO_CATALOG', 'delta', /^[a-z][a-z0-9_]{0,63}$/, 'a name of a-z, 0-9 and _')
  return {
    url,
    catalog,
    user: reader.text('TRINO_USER', 'arus'),
    password: reader.text('TRINO_PASSWORD', '') || null,
  }
}
