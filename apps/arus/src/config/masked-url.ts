/** An address that may be shown: without its password and its parameters, which may hold secrets too. */
export function maskedUrl(url: string): string {
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '***'
  shown.search = ''
  return shown.href
}
