/** Options of readers and writers as the wire has them: text. */
export function textsOf(
  options: Readonly<Record<string, string | number | boolean>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]))
}
