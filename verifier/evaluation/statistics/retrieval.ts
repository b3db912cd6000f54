/** How well a set of rows that was found agrees with the set that was to be found. */

export interface Confusion {
  truePositives: number
  falsePositives: number
  falseNegatives: number
  trueNegatives: number
}

/** Counts over the rows with `counted(row)`; all by default. */
export function confusion(found: ArrayLike<number>, truth: ArrayLike<number>, counted: (row: number) => boolean = () => true): Confusion {
  const counts: Confusion = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 }
  for (let row = 0; row < truth.length; row++) {
    if (!counted(row)) continue
    if (truth[row]) {
      if (found[row]) counts.truePositives++
      else counts.falseNegatives++
    } else if (found[row]) counts.falsePositives++
    else counts.trueNegatives++
  }
  return counts
}

/** 2PR / (P + R); null where there was nothing to find and nothing was found. */
export function f1({ truePositives, falsePositives, falseNegatives }: Confusion): number | null {
  const total = 2 * truePositives + falsePositives + falseNegatives
  return total === 0 ? null : (2 * truePositives) / total
}

/** How many positives are among the `k` rows of highest score, and of how many; equal scores are taken in the rows' order. */
export function hitsAtK(scores: readonly number[], truth: readonly boolean[], k: number): { hits: number; of: number } {
  const first = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, k)
  return { hits: first.filter((row) => truth[row]).length, of: first.length }
}
