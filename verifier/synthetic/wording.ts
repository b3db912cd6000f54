/** What detectors of synthetic text say, by template: how many human texts score as high, never who wrote a text. */
import type { Finding } from '../../core/findings.ts'
import { excerpt, MAX_FINDING_SAMPLES } from '../detectors/detector.ts'
import { LEAST_REFERENCES } from './conformal.ts'
import { lengthClassName } from './lengths.ts'

const EXCERPTS = 5

export interface FindingInput {
  detector: string
  /** Of the references. */
  cell: string
  corpus: { text(sample: number): string | null }
  flagged: Uint8Array
  pValues: Float64Array
  /** Samples that were scored. */
  looked: readonly number[]
  /** Further facts. */
  facts?: Finding['facts']
  /** What holds of the data set where no single row stands out; none unless given. */
  withoutRows?: string
}

/** The finding of a detector; null where there is nothing to say. */
export function syntheticFinding(input: FindingInput): Finding | null {
  const { detector, cell, corpus, flagged, pValues, looked, facts = {}, withoutRows } = input
  const rows = looked.filter((sample) => flagged[sample])
  if (rows.length === 0 && withoutRows === undefined) return null
  const highest = (rows.length > 0 ? rows : [...looked]).toSorted((a, b) => pValues[a]! - pValues[b]! || a - b)
  const leastStriking = rows.length === 0 ? 1 : pValues[highest.at(-1)!]!
  const summary =
    rows.length === 0 && withoutRows !== undefined
      ? withoutRows
      : `${rows.length} of ${looked.length} texts score so high that of 1,000 human texts of ${cell} at most ${Math.ceil(leastStriking * 1000)} do.`
  return {
    detector,
    property: 'synthetic_share',
    ...(rows.length === 0 ? {} : { flag: 'synthetic' as const }),
    summary,
    sampleCount: rows.length,
    samples: highest.slice(0, rows.length === 0 ? EXCERPTS : MAX_FINDING_SAMPLES),
    facts: {
      reference: cell,
      ...facts,
      highest: highest.slice(0, EXCERPTS).map((sample) => {
        const perMille = Math.ceil(pValues[sample]! * 1000)
        return `sample ${sample}: ${perMille} of 1,000 human texts score this high: ${excerpt(corpus.text(sample) ?? '')}`
      }),
    },
  }
}

/** How many texts were not scored, and why; empty where all were. */
export interface Unscored {
  short: number
  unlike: number
  withoutReferences: number
}

export function unscoredNote({ short, unlike, withoutReferences }: Unscored, referencesOf: readonly number[]): string {
  const missing = referencesOf.flatMap((count, i) => (count < LEAST_REFERENCES ? [lengthClassName(i)] : []))
  const parts = [
    short > 0 ? `${short} of fewer than 50 words` : '',
    unlike > 0 ? `${unlike} that lack the references' common words (another language, code, tables, lists)` : '',
    withoutReferences > 0
      ? `${withoutReferences} of ${missing.join(' and ')} words, for want of ${LEAST_REFERENCES} references as long`
      : '',
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : ` Not scored: ${parts.join('; ')}.`
}
