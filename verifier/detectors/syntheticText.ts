/**
 * Synthetic text (D4, first version): a linear probe on character n-grams, read only against human texts of the same language, kind and
 * length. Thresholds do not carry over from one kind of text to another, so where the recipe has no references for the declared
 * language and domain the detector abstains; and it is exploratory where it has some.
 *
 * A sample's score is the 0.9-quantile of its windows' probe scores. Its p-value is the share of human references of its length class that
 * score as high (conformal: (1 + #{reference ≥ score}) / (R + 1)); Benjamini and Hochberg's procedure over all samples flags. The share of
 * synthetic samples is Storey's estimate from the p-values above one half, with its lower 95 % bound.
 */
import type { Parameter } from '../../core/documents/recipe.ts'
import type { Finding } from '../../core/findings.ts'
import { createProbe, type Probe, readWeights } from '../synthetic/probe.ts'
import { countWords, windows } from '../synthetic/windows.ts'
import { createScores, type Detector, type DetectorResult, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

/** Least number of words of each class of length. */
export const LENGTH_CLASSES = [50, 100, 180] as const

/** With fewer references a p-value cannot reach 1 %. */
const LEAST_REFERENCES = 99

/** Scores of human texts, ascending, for each class of length. */
type References = readonly (readonly number[])[]

/** The score of a canonical text and its class of length; null for texts of fewer than 50 words. */
export function scoreText(probe: Probe, canonicalText: string): { score: number; lengthClass: number } | null {
  const parts = windows(canonicalText)
  if (parts.length === 0) return null
  const scores = parts.map((part) => probe.score(part)).sort((a, b) => a - b)
  const words = countWords(canonicalText)
  const lengthClass = LENGTH_CLASSES.findLastIndex((least) => words >= least)
  return { score: scores[Math.floor((scores.length - 1) * 0.9)]!, lengthClass: Math.max(0, lengthClass) }
}

export const syntheticText: Detector = {
  id: 'synthetic_text',
  version: 1,
  tier: 'T0',
  property: 'synthetic_share',
  flag: 'synthetic',
  needs: { text: true },
  parameters: {
    /** Expected share of false ones among the flagged, in millionths. */
    falseDiscoveryMillionths: 50_000,
    /** `language/domain` → scores of human texts, ascending, for each class of length. */
    references: {},
  },
  async run({ corpus, parameters, signal, onProgress }) {
    const cell = `${corpus.language?.toLowerCase().split('-')[0] ?? '?'}/${corpus.domain ?? '?'}`
    const references = referencesOf(parameters['references'], cell)
    if (references === null)
      return {
        ran: false,
        note:
          corpus.language === null || corpus.domain === null
            ? 'The manifest does not declare the language and the kind of text, so there is nothing to compare with.'
            : `There are no human reference texts for ${cell}.`,
      }
    const probe = createProbe(readWeights())
    const scores = createScores(corpus.count, false)
    const pValues = new Float64Array(corpus.count)
    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 1024 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      const text = corpus.canonicalText(sample)
      const scored = text === null ? null : scoreText(probe, text)
      if (scored === null) continue
      const humans = references[scored.lengthClass] ?? []
      if (humans.length < LEAST_REFERENCES) continue
      scores.values[sample] = Math.max(-0x7fffffff, Math.min(0x7fffffff, scored.score))
      scores.valid[sample] = 1
      pValues[sample] = (1 + countAtLeast(humans, scored.score)) / (humans.length + 1)
    }
    const looked = [...scores.valid.keys()].filter((sample) => scores.valid[sample])
    const falseDiscovery = integerParameter(parameters, 'falseDiscoveryMillionths') / 1_000_000
    const flagged = benjaminiHochberg(pValues, looked, falseDiscovery)
    const share = storey(
      pValues,
      looked,
      Math.min(...references.filter(({ length }) => length >= LEAST_REFERENCES).map(({ length }) => length)),
    )
    return {
      ran: true,
      note: `Exploratory: compared with human texts of ${cell}; texts of fewer than ${LENGTH_CLASSES[0]} words were not scored.`,
      scores,
      flagged,
      findings: findingsOf(corpus, cell, flagged, scores, share, looked.length),
      lowerBoundSamples: Math.floor(share.lowerBound * looked.length),
    }
  },
}

function referencesOf(parameter: Parameter | undefined, cell: string): References | null {
  if (typeof parameter !== 'object' || Array.isArray(parameter)) throw new TypeError('the recipe gives no "references"')
  const found = Object.hasOwn(parameter, cell) ? parameter[cell] : undefined
  if (!Array.isArray(found)) return null
  const references = found.map((scores) => (Array.isArray(scores) ? scores.filter((score) => typeof score === 'number') : []))
  return references.some(({ length }) => length >= LEAST_REFERENCES) ? references : null
}

/** How many of ascending numbers are at least `value`. */
function countAtLeast(ascending: readonly number[], value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! < value) low = middle + 1
    else high = middle
  }
  return ascending.length - low
}

/** 1 for the samples that Benjamini and Hochberg (1995) reject at this false discovery rate. */
export function benjaminiHochberg(pValues: Float64Array, samples: readonly number[], rate: number): Uint8Array {
  const sorted = samples.toSorted((a, b) => pValues[a]! - pValues[b]! || a - b)
  const last = sorted.findLastIndex((sample, i) => pValues[sample]! <= (rate * (i + 1)) / sorted.length)
  const rejected = new Uint8Array(pValues.length)
  for (const sample of sorted.slice(0, last + 1)) rejected[sample] = 1
  return rejected
}

/** The share of samples that are not like the references: human ones have uniform p-values, half of them above one half. */
export function storey(pValues: Float64Array, samples: readonly number[], references: number): { estimate: number; lowerBound: number } {
  if (samples.length === 0) return { estimate: 0, lowerBound: 0 }
  const above = samples.filter((sample) => pValues[sample]! > 0.5).length / samples.length
  const deviation = Math.sqrt((above * (1 - above)) / samples.length + 0.25 / references)
  return { estimate: Math.max(0, 1 - 2 * above), lowerBound: Math.max(0, 1 - 2 * (above + 1.96 * deviation)) }
}

function findingsOf(
  corpus: { text(sample: number): string | null },
  cell: string,
  flagged: Uint8Array,
  scores: DetectorResult['scores'],
  share: { estimate: number; lowerBound: number },
  looked: number,
): Finding[] {
  const samples = [...flagged.keys()].filter((sample) => flagged[sample])
  if (samples.length === 0) return []
  const highest = samples.toSorted((a, b) => scores.values[b]! - scores.values[a]! || a - b)
  return [
    {
      detector: 'synthetic_text',
      property: 'synthetic_share',
      flag: 'synthetic',
      summary: `${samples.length} of ${looked} texts score higher than human texts of ${cell} do.`,
      sampleCount: samples.length,
      samples: samples.slice(0, MAX_FINDING_SAMPLES),
      facts: {
        reference: cell,
        share_millionths: Math.floor(share.estimate * 1_000_000),
        share_at_least_millionths: Math.floor(share.lowerBound * 1_000_000),
        highest: highest.slice(0, 5).map((sample) => `sample ${sample}: ${excerpt(corpus.text(sample) ?? '')}`),
      },
    },
  ]
}
