/** Wilson's score interval for a share (Wilson 1927): right also near 0 and 1 and for few trials. */

/** The 0.975 quantile of the standard normal distribution. */
export const Z95 = 1.959_963_984_540_054

export interface Interval {
  low: number
  high: number
}

/** The 95 % interval of a share of which `successes` of `trials` were seen; [0, 1] without trials. */
export function wilson(successes: number, trials: number, z = Z95): Interval {
  if (trials === 0) return { low: 0, high: 1 }
  const share = successes / trials
  const z2 = z * z
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (z / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials))
  // Rounding must not put the seen share outside.
  return { low: Math.max(0, Math.min(share, centre - half)), high: Math.min(1, Math.max(share, centre + half)) }
}
