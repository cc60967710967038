/** Name of each length of a step. */
export const INTERVAL_TEXTS = {
  auto: 'intervalAuto',
  minute: 'intervalMinute',
  hour: 'intervalHour',
  day: 'intervalDay',
} as const
