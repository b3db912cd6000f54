/** One figure of the bench, as it stands in `report.json`, and the collector of them. */
import type { Share } from './statistics/roc.ts'
import { wilson } from './statistics/wilson.ts'

export interface Result {
  group: string
  file: string
  /** Which rows, and what they were fitted or injected with: `all`, `domain=xsum left out`, `trigger=token rate=0.0025`. */
  slice: string
  detector: string
  metric: string
  value: number
  /** 95 % interval; null where the figure is a count, a time or a yes or no. */
  low: number | null
  high: number | null
  /** What the value is a share or a mean of. */
  n: number
}

export interface Place {
  group: string
  file: string
  slice: string
  detector: string
}

export interface Figures {
  readonly results: readonly Result[]
  /** What was not measured and why, a sentence each, none twice. */
  readonly skipped: readonly string[]
  /** A figure with its interval; nothing where `share` is null. */
  add(place: Place, metric: string, share: Share | null, n: number): void
  /** `successes` of `trials` with Wilson's interval; nothing without trials. */
  share(place: Place, metric: string, successes: number, trials: number): void
  /** A figure without an interval. */
  number(place: Place, metric: string, value: number, n: number): void
  skip(reason: string): void
}

/** Six significant digits: enough to compare, short enough to read. */
function rounded(value: number): number {
  return Number(value.toPrecision(6))
}

export function createFigures(onResult: (result: Result) => void = () => {}): Figures {
  const results: Result[] = []
  const skipped = new Set<string>()
  const push = (
    { group, file, slice, detector }: Place,
    metric: string,
    share: { value: number; low: number | null; high: number | null },
    n: number,
  ) => {
    if (!Number.isFinite(share.value)) return
    const [low, high] = [share.low, share.high].map((bound) => (bound === null ? null : rounded(bound)))
    const result = { group, file, slice, detector, metric, value: rounded(share.value), low: low ?? null, high: high ?? null, n }
    results.push(result)
    onResult(result)
  }
  return {
    results,
    get skipped() {
      return [...skipped]
    },
    add(place, metric, share, n) {
      if (share !== null) push(place, metric, share, n)
    },
    share(place, metric, successes, trials) {
      if (trials > 0) push(place, metric, { value: successes / trials, ...wilson(successes, trials) }, trials)
    },
    number(place, metric, value, n) {
      push(place, metric, { value, low: null, high: null }, n)
    },
    skip: (reason) => void skipped.add(reason),
  }
}
