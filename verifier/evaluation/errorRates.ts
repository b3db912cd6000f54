/** The figures of an evaluation as a report repeats them: for each detector what it flags of clean samples and finds of known ones. */
import type { ErrorRates } from '../../core/documents/report.ts'
import type { ErrorTable } from '../errorRates/errorRates.ts'
import type { Result } from './result.ts'

/** Shares of rows in which nothing is to be found that are flagged. */
const OF_CLEAN: ReadonlySet<string> = new Set(['row_fpr', 'fpr_at_setting'])
/** Shares of rows that are known to be what is looked for that are flagged. */
const OF_PLANTED: ReadonlySet<string> = new Set(['row_tpr', 'recall', 'tpr_at_setting'])
const HUMANS = '; human texts alone'
const SHIPPED = 'as shipped; '
const MOST_PLANTED = 24

export interface Evaluation {
  results: readonly Result[]
  /** Of the detectors that were run, where that is known. */
  versions?: Readonly<Record<string, number>>
}

/** A table of the detectors with these ids; where several evaluations have a figure of the same place, the last one's stands. */
export function errorTable(evaluations: readonly Evaluation[], ids: readonly string[]): ErrorTable {
  const results = new Map<string, Result>()
  for (const evaluation of evaluations)
    for (const result of evaluation.results)
      results.set([result.group, result.file, result.slice, result.detector, result.metric].join('\0'), result)
  // Figures without an interval are means; those of all files repeat the others.
  const shares = [...results.values()].filter(({ low, file }) => low !== null && file !== '*')
  const sets = new Set<string>()
  const detectors = Object.fromEntries(
    ids.toSorted().flatMap((id): [string, ErrorRates][] => {
      const own = shares.filter(({ detector }) => detector === id)
      const clean = cleanOf(own.filter(({ metric }) => OF_CLEAN.has(metric)))
      const planted = plantedOf(own.filter(({ metric, slice }) => OF_PLANTED.has(metric) && !slice.endsWith(HUMANS)))
      if (clean === undefined && planted.length === 0) return []
      for (const { group, file, metric } of own) if (OF_CLEAN.has(metric) || OF_PLANTED.has(metric)) sets.add(`${group}/${file}`)
      const version = evaluations.findLast(({ versions }) => versions?.[id] !== undefined)?.versions?.[id]
      return [
        [
          id,
          {
            ...(version === undefined ? {} : { version }),
            ...(clean === undefined ? {} : { clean }),
            ...(planted.length === 0 ? {} : { planted: planted.slice(0, MOST_PLANTED) }),
          },
        ],
      ]
    }),
  )
  return { sets: [...sets].toSorted(), detectors }
}

/** Every set once, by the slice in which least was done to it. */
function cleanOf(results: readonly Result[]): ErrorRates['clean'] {
  const setOf = ({ group, file, slice }: Result) => [group, file, slice.endsWith(HUMANS) ? slice : ''].join('\0')
  const bySet = Map.groupBy(
    results.filter(({ slice }) => !slice.startsWith(SHIPPED) || slice.endsWith(HUMANS)),
    setOf,
  )
  if (bySet.size === 0) return undefined
  const chosen = [...bySet.values()].map((own) => own.toSorted((a, b) => rank(a) - rank(b) || (a.slice < b.slice ? -1 : 1))[0]!)
  const sum = (part: (result: Result) => number) => chosen.reduce((total, result) => total + part(result), 0)
  return { sets: chosen.length, samples: sum(({ n }) => n), flaggedSamples: sum(hitsOf) }
}

function rank({ slice }: Result): number {
  const first = ['clean', 'all', 'labels', 'copies=exact'].indexOf(slice)
  return first < 0 ? Number.MAX_SAFE_INTEGER : first
}

/** By what was given or put in, over all files and seeds. */
function plantedOf(results: readonly Result[]): NonNullable<ErrorRates['planted']> {
  return [...Map.groupBy(results, nameOf)]
    .map(([what, own]) => ({
      what,
      samples: own.reduce((total, { n }) => total + n, 0),
      foundSamples: own.reduce((total, result) => total + hitsOf(result), 0),
    }))
    .toSorted((a, b) => (a.what < b.what ? -1 : 1))
}

function hitsOf({ value, n }: Result): number {
  return Math.round(value * n)
}

/** What the rows are, for a person: `hidden: tag characters`, `machine texts, en/news`, or the name of a set that has them as it is. */
function nameOf({ group, file, slice }: Result): string {
  const set = file.replace(/\.jsonl$/, '')
  const name =
    slice === 'all' || slice === 'labels'
      ? set
      : group === 'text_poison'
        ? `${set}, ${slice}`
        : slice.startsWith(SHIPPED)
          ? `machine texts, ${slice.slice(SHIPPED.length)}`
          : slice.replace(/^(\w+)=/, '$1: ').replace(/ seed=\d+$/, '')
  return name.slice(0, 128)
}

/** A detector a line, so that two tables can be compared line by line. */
export function formatErrorTable({ sets, detectors }: ErrorTable): string {
  const lines = Object.entries(detectors).map(([id, rates]) => `${JSON.stringify(id)}: ${JSON.stringify(rates)}`)
  return `{"sets": ${JSON.stringify(sets)}, "detectors": {\n${lines.join(',\n')}\n}}\n`
}
