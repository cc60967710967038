/** Numbers, times and sizes as people of a language read them. */
export interface Format {
  /** Whole number with separators. */
  count(value: number): string
  /** Short: 12.4K. */
  short(value: number): string
  /** At most `digits` after the point. */
  decimal(value: number, digits?: number): string
  /** A share, 0 to 1, as percent. */
  percent(share: number | null): string
  /** A change, 0.5 is half as many again, with its sign. */
  growth(change: number | null): string
  /** An amount in the shop's own currency, which the catalogue does not name. */
  money(amount: number | null): string
  bytes(size: number): string
  /** Milliseconds. */
  milliseconds(ms: number | null): string
  /** Seconds, in the largest fitting unit. */
  seconds(seconds: number): string
  time(ms: number, zone: string): string
  day(ms: number, zone: string): string
  dateTime(ms: number, zone: string): string
}

const NOTHING = '–'
const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
const SECOND_UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** Formats of a language, a BCP 47 tag. */
export function formatOf(language: string): Format {
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(language, options)
  const whole = number({ maximumFractionDigits: 0 })
  const compact = number({ notation: 'compact', maximumFractionDigits: 1 })
  const share = number({ style: 'percent', maximumFractionDigits: 1 })
  const change = number({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' })
  const amount = number({ minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const unit = (value: number, name: string, digits: number) =>
    number({ style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits }).format(value)
  const moment = (ms: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, options).format(ms)
  return {
    count: (value) => whole.format(value),
    short: (value) => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value)),
    decimal: (value, digits = 1) => number({ maximumFractionDigits: digits }).format(value),
    percent: (value) => (value === null ? NOTHING : share.format(value)),
    growth: (value) => (value === null ? NOTHING : change.format(value)),
    money: (value) => {
      if (value === null) return NOTHING
      return Math.abs(value) < 100_000 ? amount.format(value) : compact.format(value)
    },
    bytes(size) {
      const power = size < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(size) / 3))
      return unit(size / 1000 ** power, BYTE_UNITS[power] ?? 'byte', power === 0 ? 0 : 1)
    },
    milliseconds: (ms) => (ms === null ? NOTHING : unit(ms, 'millisecond', ms < 10 ? 2 : 0)),
    seconds(seconds) {
      const [name, length] = SECOND_UNITS.find(([, length]) => seconds >= length) ?? (['second', 1] as const)
      return unit(seconds / length, name, 1)
    },
    time: (ms, timeZone) => moment(ms, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }),
    day: (ms, timeZone) => moment(ms, { day: 'numeric', month: 'short', timeZone }),
    dateTime: (ms, timeZone) =>
      moment(ms, {
        day: 'numeric',
        month: 'short',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
        timeZone,
      }),
  }
}

/** The browser's own time zone, an IANA name. */
export function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}
