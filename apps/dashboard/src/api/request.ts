import type { Problem } from 'arus/api'
import { keyHeader } from './key.ts'

/** A value of a query; absent ones are left out. */
export type QueryValue = string | number | undefined

/** The API answered with a problem document, with something else, or not at all (`status` 0). */
export class ApiFailure extends Error {
  readonly status: number
  readonly problem: Problem | null

  constructor(message: string, status: number, problem: Problem | null, options: ErrorOptions = {}) {
    super(message, options)
    this.name = 'ApiFailure'
    this.status = status
    this.problem = problem
  }
}

/** Path with its query. */
export function pathWith(path: string, query: Readonly<Record<string, QueryValue>> = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value))
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Fetches JSON with the key of this tab; throws `ApiFailure`. */
export async function requestJson<T>(
  url: string,
  init: RequestInit & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  const headers = { ...init.headers, ...keyHeader() }
  const response = await fetch(url, { ...init, headers }).catch((cause: unknown) => {
    throw new ApiFailure('The API does not answer.', 0, null, { cause })
  })
  const body: unknown = await response.json().catch(() => null)
  if (response.ok && body !== null) return body as T
  const problem = isProblem(body) ? body : null
  throw new ApiFailure(problem?.detail ?? `The API answered ${response.status}.`, response.status, problem)
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && 'code' in body
}
