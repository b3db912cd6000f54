/**
 * Synthetic text by its spelling (D4, tier T0): a linear probe on character n-grams, read only against human texts of the same language, kind
 * and length, which the recipe names. Thresholds do not carry over from one kind of text to another, so without references it abstains.
 *
 * A sample's score is the 0.9-quantile of its windows' probe scores; its p-value the share of references of its class of length that score as
 * high; Benjamini and Hochberg's procedure over all samples flags. Exploratory: how texts are spelt also follows what they are about, and in
 * this tier nothing tells whether that is the same.
 */
import { benjaminiHochberg, conformalPValue, LEAST_REFERENCES } from '../synthetic/conformal.ts'
import { LENGTH_CLASSES, lengthClassOf } from '../synthetic/lengths.ts'
import { likenessOf } from '../synthetic/likeness.ts'
import { createProbe, type Probe, readWeights } from '../synthetic/probe.ts'
import { syntheticFinding, unscoredNote } from '../synthetic/wording.ts'
import { countWords, windows } from '../synthetic/windows.ts'
import { createScores, type Detector, integerParameter } from './detector.ts'

/** The score of a canonical text and its class of length; null for texts of fewer than 50 words. */
export function scoreText(probe: Probe, canonicalText: string): { score: number; lengthClass: number } | null {
  const parts = windows(canonicalText)
  const [first] = parts
  if (first === undefined) return null
  const lengthClass = Math.max(0, parts.length > 1 ? LENGTH_CLASSES.length - 1 : lengthClassOf(countWords(first)))
  if (parts.length === 1) return { score: probe.score(first), lengthClass }
  const scores = parts.map((part) => probe.score(part)).sort((a, b) => a - b)
  return { score: scores[Math.floor((scores.length - 1) * 0.9)]!, lengthClass }
}

export const syntheticText: Detector = {
  id: 'synthetic_text',
  version: 2,
  tier: 'T0',
  property: 'synthetic_share',
  flag: 'synthetic',
  needs: { text: true, references: true },
  parameters: {
    /** Expected share of false ones among the flagged, in millionths. */
    falseDiscoveryMillionths: 50_000,
    /** So many references at most are read, from the first on. */
    mostReferences: 20_000,
  },
  async run({ corpus, references = [], parameters, signal, onProgress }) {
    const [reference] = references
    if (reference === undefined) return { ran: false, note: 'There are no human reference texts.' }
    const humanTexts = Array.from(
      { length: Math.min(reference.corpus.count, integerParameter(parameters, 'mostReferences')) },
      (_, i) => reference.corpus.canonicalText(i) ?? '',
    ).filter((text) => windows(text).length > 0)
    const isLike = likenessOf(humanTexts)
    const probe = createProbe(readWeights())
    const humans: number[][] = LENGTH_CLASSES.map(() => [])
    for (const text of humanTexts) {
      signal.throwIfAborted()
      const scored = isLike(text) ? scoreText(probe, text) : null
      if (scored !== null) humans[scored.lengthClass]!.push(scored.score)
    }
    for (const scores of humans) scores.sort((a, b) => a - b)
    if (!humans.some(({ length }) => length >= LEAST_REFERENCES))
      return { ran: false, note: `Of ${reference.cell} there are fewer than ${LEAST_REFERENCES} human reference texts of any length.` }
    const scores = createScores(corpus.count, false)
    const pValues = new Float64Array(corpus.count)
    const unscored = { short: 0, unlike: 0, withoutReferences: 0 }
    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 1024 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      const text = corpus.canonicalText(sample)
      if (text === null) continue
      const scored = scoreText(probe, text)
      if (scored === null) unscored.short++
      else if (humans[scored.lengthClass]!.length < LEAST_REFERENCES) unscored.withoutReferences++
      else if (!isLike(text)) unscored.unlike++
      else {
        scores.values[sample] = Math.max(-0x7fffffff, Math.min(0x7fffffff, scored.score))
        scores.valid[sample] = 1
        pValues[sample] = conformalPValue(humans[scored.lengthClass]!, scored.score)
      }
    }
    const looked = [...scores.valid.keys()].filter((sample) => scores.valid[sample])
    const flagged = benjaminiHochberg(pValues, looked, integerParameter(parameters, 'falseDiscoveryMillionths') / 1_000_000)
    const finding = syntheticFinding({ detector: 'synthetic_text', cell: reference.cell, corpus, flagged, pValues, looked })
    return {
      ran: true,
      note: `Exploratory: compared with human texts of ${reference.cell} by spelling alone.${unscoredNote(unscored, humans.map(({ length }) => length))}`, // prettier-ignore
      scores,
      flagged,
      findings: finding === null ? [] : [finding],
    }
  },
}
