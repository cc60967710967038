const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

/** Writes a decimal's unscaled value with exactly `scale` digits behind the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The unscaled value of a number's text at `scale`; null when it is no number or has more digits behind the point. */
export function unscaledOf(text: string, scale: number): bigint | null {
  const match = DECIMAL.exec(text)
  const [whole, fraction] = [match?.[2] ?? '', match?.[3] ?? '']
  if (match === null || whole + fraction === '') return null
  const shift = scale - fraction.length + Number(match[4] ?? 0)
  const digits = BigInt(whole + fraction) * (match[1] === '-' ? -1n : 1n)
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const power = 10n ** BigInt(-shift)
  return digits % power === 0n ? digits / power : null
}
