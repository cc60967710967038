import type { Parts } from '../cli/context.ts'
import { isLoopback } from '../keys/origin.ts'

/** What whoever starts Arus should know of its keys; null when there is nothing to say. */
export async function keyAdvice({
  settings,
  keys,
}: Pick<Parts, 'settings' | 'keys'>): Promise<string | null> {
  if (!settings.isKeyRequired) {
    if (isLoopback(settings.host)) return null
    return `\nEveryone who can reach ${settings.host}:${settings.apiPort} may read and change everything. Set ARUS_REQUIRE_KEYS=true to ask for keys.`
  }
  const inForce = await (await keys()).inForce()
  if (inForce.some(({ key }) => key.kind === 'admin')) return null
  return '\nThe API asks for keys, and there is no admin key yet. Make one, in another terminal here:\n\n  npx arus keys create --kind admin --name me'
}
