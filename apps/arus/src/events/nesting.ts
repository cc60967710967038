/** Deepest nesting an event may have as it arrives. */
export const DEPTH_MAX = 32

/** Whether a JSON value nests deeper than `depth`; looks no deeper than that. */
export function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  if (Array.isArray(value)) return value.some((child) => isDeeperThan(child, depth - 1))
  const fields = value as Record<string, unknown>
  for (const key in fields) if (isDeeperThan(fields[key], depth - 1)) return true
  return false
}
