import { type DestinationStream, type Logger, pino } from 'pino'

/** The server's log, one JSON object a line. Requests are written without what their query holds, which may be a key. */
export function createLogger(level: string, destination: DestinationStream): Logger {
  return pino({ level, serializers: { req: requestFacts } }, destination)
}

interface LoggedRequest {
  readonly method: string
  readonly url: string
  readonly host: string
  readonly ip: string
}

/** Names of parameters are told, their values covered: a list of secret names would miss one spelled `%6bey`. */
function requestFacts({ method, url, host, ip }: LoggedRequest): object {
  const [path = '', query = ''] = url.split('?', 2)
  const names = query === '' ? [] : query.split('&').map((part) => part.split('=', 1)[0])
  return { method, path, parameters: names, host, remoteAddress: ip }
}
