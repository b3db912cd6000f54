/**
 * Whether texts that are alike stand near each other in the order of the samples (Datalab's `non_iid`): the distances in number between
 * samples and their nearest others, against those of any two samples, and against those of the same neighbours in shuffled orders.
 */
import { mix } from '../numeric.ts'

/** The nearest others of some samples. */
export interface NeighbourLists {
  /** The samples whose lists these are. */
  samples: Int32Array
  k: number
  /** samples.length × k sample numbers. */
  neighbours: Int32Array
}

/**
 * Kolmogorov and Smirnov's statistic between the distances |i − j| of neighbours and those of all pairs of `count` samples, of which
 * count − d have distance d. `placeOf` gives the place of a sample in some order.
 */
export function indexDistanceStatistic({ samples, k, neighbours }: NeighbourLists, count: number, placeOf: Int32Array | null): number {
  const histogram = new Uint32Array(count)
  let pairs = 0
  for (const [list, sample] of samples.entries())
    for (let rank = 0; rank < k; rank++) {
      const other = neighbours[list * k + rank]!
      if (other < 0) continue
      histogram[Math.abs(placeOf === null ? sample - other : placeOf[sample]! - placeOf[other]!)]!++
      pairs++
    }
  const allPairs = (count * (count - 1)) / 2
  let [seen, expected, widest] = [0, 0, 0]
  for (let distance = 1; distance < count; distance++) {
    seen += histogram[distance]!
    expected += count - distance
    widest = Math.max(widest, Math.abs(seen / pairs - expected / allPairs))
  }
  return pairs === 0 ? 0 : widest
}

/** The median distance between neighbours. */
export function medianIndexDistance({ samples, k, neighbours }: NeighbourLists): number {
  const distances: number[] = []
  for (const [list, sample] of samples.entries())
    for (let rank = 0; rank < k; rank++) {
      const other = neighbours[list * k + rank]!
      if (other >= 0) distances.push(Math.abs(sample - other))
    }
  return Int32Array.from(distances).sort()[distances.length >> 1] ?? 0
}

/** A random order: the place of each sample (Fisher and Yates). */
export function shuffledPlaces(count: number, seed: number): Int32Array {
  const places = Int32Array.from({ length: count }, (_, i) => i)
  let state = mix(seed)
  for (let i = count - 1; i > 0; i--) {
    state = mix(state + i)
    const j = state % (i + 1)
    const place = places[i]!
    places[i] = places[j]!
    places[j] = place
  }
  return places
}

/**
 * How far a sample's neighbours are from lying anywhere: the area between the distribution of their distances and that of all other
 * samples, interval by interval, as a share of the greatest distance. Datalab's score is 1 − tanh of it.
 */
export function departure(sample: number, sortedDistances: readonly number[], count: number): number {
  const farthest = Math.max(sample, count - sample)
  const nearEnd = Math.min(sample, count - 1 - sample)
  const farEnd = count - nearEnd - 1
  /** The area under the distribution of the distances to all other samples, up to x. */
  const backgroundArea = (x: number): number => {
    const both = (nearEnd * nearEnd) / (count - 1)
    if (x <= nearEnd) return (x * x) / (count - 1)
    if (x <= farEnd) return both + (0.5 * (x + 3 * nearEnd) * (x - nearEnd)) / (count - 1)
    return both + 0.5 * ((2 * nearEnd) / (count - 1) + 1) * (count - 2 * nearEnd - 1) + (x - farEnd)
  }
  let [area, from, areaFrom] = [0, 0, 0]
  for (let i = 0; i <= sortedDistances.length; i++) {
    const to = i < sortedDistances.length ? sortedDistances[i]! : count - 1
    const areaTo = backgroundArea(to)
    area += Math.abs((i / sortedDistances.length) * (to - from) - (areaTo - areaFrom))
    from = to
    areaFrom = areaTo
  }
  return area / farthest
}
