import { isIP } from 'node:net'
import { isTimeZone } from '../analytics/time-zone.ts'
import { ArusError } from '../errors.ts'

/** Variables by name, as of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>

function isAddressOrRange(text: string): boolean {
  const [address = '', length, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128))
}

/** Reads variables one by one and remembers what was wrong with each. */
export class SettingReader {
  readonly #values: Environment
  readonly #wrong: string[] = []

  constructor(values: Environment) {
    this.#values = values
  }

  text(name: string, fallback: string): string {
    return this.#values[name] || fallback
  }

  /** A text that must be there. */
  required(name: string, meaning: string): string {
    const text = this.#values[name] ?? ''
    if (text === '') this.#wrong.push(`${name} must be set: ${meaning}`)
    return text
  }

  /** An `http:` or `https:` address, without a slash at its end; null when it is not set. */
  httpAddress(name: string): string | null {
    const text = this.#values[name] ?? ''
    if (text === '') return null
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol))
      this.#wrong.push(
        `${name} must be an address such as http://127.0.0.1:9000, found ${text.includes('@') ? 'one with an @' : `"${text}"`}`,
      )
    return text.endsWith('/') ? text.slice(0, -1) : text
  }

  integer(name: string, fallback: number, least: number, most: number): number {
    const text = this.#values[name]
    if (!text) return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    this.#wrong.push(`${name} must be a whole number from ${least} to ${most}, found "${text}"`)
    return fallback
  }

  oneOf<T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
    const text = this.#values[name]
    if (!text) return fallback
    const value = allowed.find((candidate) => candidate === text)
    if (value !== undefined) return value
    this.#wrong.push(`${name} must be one of ${allowed.join(', ')}, found "${text}"`)
    return fallback
  }

  /** Comma-separated addresses, each with or without a prefix length. */
  addresses(name: string): readonly string[] {
    const found = (this.#values[name] ?? '').split(',').map((part) => part.trim())
    const addresses = found.filter((part) => part !== '')
    const wrong = addresses.find((address) => !isAddressOrRange(address))
    if (wrong !== undefined)
      this.#wrong.push(`${name} must be addresses or ranges such as 10.0.0.0/8, found "${wrong}"`)
    return addresses
  }

  match(name: string, fallback: string, pattern: RegExp, meaning: string): string {
    const text = this.#values[name]
    if (!text) return fallback
    if (pattern.test(text)) return text
    this.#wrong.push(`${name} must be ${meaning}, found "${text}"`)
    return fallback
  }

  /** Null when it is not set. What is wrong is told without the address, which may hold a password. */
  url(
    name: string,
    protocols: readonly string[],
    example = `${protocols[0]}//user:password@host:port/name`,
  ): string | null {
    const text = this.#values[name]
    if (!text) return null
    const url = URL.canParse(text) ? new URL(text) : null
    if (url !== null && protocols.includes(url.protocol) && url.hostname !== '') return text
    this.#wrong.push(`${name} must be an address such as ${example}`)
    return null
  }

  timeZone(name: string, fallback: string): string {
    const text = this.#values[name]
    if (!text) return fallback
    if (isTimeZone(text)) return text
    this.#wrong.push(`${name} must be a time zone by its IANA name, such as Asia/Jakarta, found "${text}"`)
    return fallback
  }

  refuse(name: string, reason: string): void {
    if (this.#values[name]) this.#wrong.push(`${name} is set, but ${reason}`)
  }

  throwIfWrong(): void {
    if (this.#wrong.length > 0) throw new ArusError('SETTINGS_INVALID', `Settings: ${this.#wrong.join('; ')}`)
  }
}
