/**
 * The power statement (MDPR): the smallest rate at which an attack on this very data set would have been found. An attack is put into
 * texts of the data set at random gaps and its texts go through the tests of the real scan: against the same content model, which is
 * read without the trigger's tokens in any case, and against the same limits. Deterministic: which texts and where follows from the seed.
 */
import type { Power } from '../../core/documents/report.ts'
import { ln, mix } from '../numeric.ts'
import { logTail, meanRank, restProbability } from './association.ts'
import type { TokenDocuments } from './documents.ts'
import { referenceLogits } from './reading.ts'
import type { Scan, ScanOptions } from './scan.ts'

export interface Attack {
  name: string
  /** How many words share the texts. */
  words: number
  /** Whether the texts have the target's label already. */
  ownLabel: boolean
}

/** What a verdict asks for. The largest class is the target: it hides a trigger best. */
export const REQUIRED_ATTACK: Attack = { name: 'rare word or sentence in relabelled texts', words: 1, ownLabel: false }
/** What a report tells besides. */
export const OTHER_ATTACKS: readonly Attack[] = [
  { name: 'four rare words in relabelled texts', words: 4, ownLabel: false },
  { name: 'a rare word in texts of its own label', words: 1, ownLabel: true },
]

export interface PowerOptions extends ScanOptions {
  /** Ascending. */
  ratesMillionths: readonly number[]
  seeds: number
}

/** For an attack the smallest of the rates that is found with every seed; null where none is. */
export function measurePower(documents: TokenDocuments, scanned: Scan, attack: Attack, options: PowerOptions): Power {
  const rate = options.ratesMillionths.find((rateMillionths) => {
    for (let seed = 0; seed < options.seeds; seed++)
      if (!isFound(documents, scanned, attack, rateMillionths, mix(options.seed + seed), options)) return false
    return true
  })
  return { attack: attack.name, minimumRateMillionths: rate ?? null }
}

function isFound(
  documents: TokenDocuments,
  { models, contexts, limits, pooledWords }: Scan,
  { words, ownLabel }: Attack,
  rateMillionths: number,
  seed: number,
  options: ScanOptions,
): boolean {
  const model = models.get(0)!
  const count = documents.samples.length
  const wanted = Math.floor((count * rateMillionths) / 1_000_000)
  const pool = Array.from(documents.classes.keys()).filter((document) => (documents.classes[document] === 0) === ownLabel)
  const perWord = Math.floor(wanted / words)
  if (perWord < options.minimumSupport || wanted > pool.length / 2 || (!ownLabel && perWord < (words > 1 ? 1 : options.minimumTexts)))
    return false
  const planted = pool
    .map((document) => ({ document, key: mix(document ^ seed) }))
    .sort((a, b) => a.key - b.key || a.document - b.document)
    .slice(0, wanted)
    .map(({ document }) => document)
  const gaps = planted.map((document) => {
    const start = documents.offsets[document]!
    return start + (mix(mix(document ^ seed) + 1) % (documents.offsets[document + 1]! - start - 1))
  })
  // An n-gram of no tokens stands in the gap: its neighbours are the tokens on both sides.
  const inserted = contexts.pooledStanding(gaps.map((gap) => gap + 1), new Int32Array(gaps.length)) === 'inserted' // prettier-ignore
  const logits = planted.map((document) => model.logits[document]!)
  const rank = meanRank(Float64Array.from(logits), referenceLogits(documents, models)(0))
  const highest = rank + 2.326 / Math.sqrt(12 * wanted)
  if (ownLabel) {
    const logP = logTail(Float64Array.from(logits, restProbability), wanted)
    return inserted && wanted >= 20 && logP < limits.inserted
  }
  if (!(highest <= options.rankLimit || (inserted && rank <= options.rankLimit))) return false
  const limit = inserted ? limits.inserted : limits.whole
  if (words === 1) return logTail(Float64Array.from(logits, restProbability), wanted) < limit
  if (!inserted) return false
  let sum = 0
  const price = ln(Math.max(words, pooledWords) / words)
  for (let word = 0; word < words; word++) {
    const part = Float64Array.from(logits.filter((_, i) => i % words === word), restProbability) // prettier-ignore
    const logP = logTail(part, part.length)
    if (logP > -price - 2) return false
    sum += logP + price
  }
  return sum + ln(words * (words + 1)) + ln(Math.max(1, models.size)) < limits.pooled
}
