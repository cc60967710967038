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
