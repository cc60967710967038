import type { SettingReader } from './setting-reader.ts'

/** The MLflow server that holds the models. */
export interface MlflowSettings {
  /** Its address, without a slash at its end, and without a name or password. */
  readonly trackingUri: string
  /** For basic authentication; null: none. */
  readonly username: string | null
  /** A secret. */
  readonly password: string | null
  /** Sent as a bearer's token instead of name and password. A secret. */
  readonly token: string | null
  /** What copies of model files may take on this machine's disk, bytes. */
  readonly cacheBytes: number
}

/** The address taken apart: MLflow's own clients read a name and password out of it, too. */
export function splitTrackingUri(uri: string): Pick<MlflowSettings, 'trackingUri' | 'username' | 'password'> {
  const { username, password, origin, pathname } = new URL(uri)
  return {
    trackingUri: origin + (pathname.endsWith('/') ? pathname.slice(0, -1) : pathname),
    username: decodeURIComponent(username) || null,
    password: decodeURIComponent(password) || null,
  }
}

/** Null when none is named. */
export function readMlflowSettings(reader: SettingReader): MlflowSettings | null {
  const uri = reader.httpAddress('MLFLOW_TRACKING_URI')
  if (uri === null || !URL.canParse(uri)) return null
  const { trackingUri, username, password } = splitTrackingUri(uri)
  return {
    trackingUri,
    username: reader.text('MLFLOW_TRACKING_USERNAME', '') || username,
    password: reader.text('MLFLOW_TRACKING_PASSWORD', '') || password,
    token: reader.text('MLFLOW_TRACKING_TOKEN', '') || null,
    cacheBytes: reader.integer('ARUS_MODEL_CACHE_MB', 4_096, 64, 100_000_000) * 1024 * 1024,
  }
}
