interface Config {
  readonly api_port: number
  readonly api_url: string | null
}

/** Asks the dashboard's own server where the API is. Throws `ApiFailure` when it does not say. */
export async function findApi(): Promise<string> {
  const response = await fetch('/config.json')
  const config = (await response.json()) as Config
  return apiBase(config, window.location)
}

/** Address of the API without a slash at its end: as stated, or the given port of the host the page came from. */
export function apiBase(config: Config, page: Pick<Location, 'protocol' | 'hostname'>): string {
  return config.api_url?.replace(/\/+$/, '') ?? `${page.protocol}//${page.hostname}:${config.api_port}`
}
