/** Mean, median and quantiles of numbers. */

/** NaN for none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The `share`-quantile, 0 … 1, by linear interpolation between order statistics (Hyndman and Fan's type 7). NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN
  const sorted = values.toSorted((a, b) => a - b)
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const low = sorted[below]!
  return low + ((sorted[below + 1] ?? low) - low) * (position - below)
}

/** The 95 % interval of a mean by the normal approximation; the mean itself for fewer than two values. */
export function meanInterval(values: readonly number[]): { value: number; low: number; high: number } {
  const value = mean(values)
  if (values.length < 2) return { value, low: value, high: value }
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (values.length - 1)
  const half = 1.959_963_984_540_054 * Math.sqrt(variance / values.length)
  return { value, low: value - half, high: value + half }
}
