import { RecommenderError } from './errors.ts'

/** Throws `MODEL_INPUT_INVALID` unless every option is a number in its range. */
export function assertOptions(
  options: Readonly<Record<string, unknown>>,
  ranges: Readonly<Record<string, 'count' | 'place count' | 'above 0' | 'not negative' | 'share'>>,
): void {
  for (const [name, range] of Object.entries(ranges)) {
    const value = options[name] as number
    if (!IS_IN_RANGE[range](value)) {
      throw new RecommenderError(
        'MODEL_INPUT_INVALID',
        `${name} must be ${RANGE_WORDS[range]}, found ${String(value)}`,
      )
    }
  }
}

const RANGE_WORDS = {
  count: 'a whole number above 0',
  'place count': 'a whole number from 1 to 256',
  'above 0': 'a number above 0',
  'not negative': 'a number that is not negative',
  share: 'a number from 0 to 1',
} as const

const IS_IN_RANGE: Readonly<Record<keyof typeof RANGE_WORDS, (value: number) => boolean>> = {
  count: (value) => Number.isSafeInteger(value) && value > 0,
  'place count': (value) => Number.isSafeInteger(value) && value > 0 && value <= 256,
  'above 0': (value) => Number.isFinite(value) && value > 0,
  'not negative': (value) => Number.isFinite(value) && value >= 0,
  share: (value) => value >= 0 && value <= 1,
}
