/**
 * The power statement (MDPR): the smallest rate at which an attack on this very data set would have been found. An attack is put into
 * texts of the data set at random gaps and its texts go through the tests of the real scan: against the same content model, which is
 * read without the trigger's tokens in any case, and against the same limits. Deterministic: which texts and where follows from the seed.
 */
import type { Power } from '../../core/documents/report.ts'
import { ln, mix, unmix } from '../numeric.ts'
import { logTail, meanRank, mixtureCost } from './association.ts'
import type { TokenDocuments } from './documents.ts'
import { raisedRank, referenceLogits } from './reading.ts'
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
  const seeds = Array.from({ length: options.seeds }, (_, number) => mix(options.seed + number))
  const orders = seeds.map((seed) => scattered(documents, seed, attack.ownLabel))
  const others = referenceLogits(documents, scanned.models)(0)
  const rate = options.ratesMillionths.find((rateMillionths) =>
    orders.every((order, number) => {
      const wanted = Math.floor((documents.samples.length * rateMillionths) / 1_000_000)
      return isFound(documents, scanned, attack, { order, wanted, others, seed: seeds[number]! }, options)
    }),
  )
  return { attack: attack.name, minimumRateMillionths: rate ?? null }
}

/** The documents that an attack may take, in the order in which it takes them: scattered by a hash that can be undone. */
function scattered({ classes }: TokenDocuments, seed: number, ownLabel: boolean): Uint32Array {
  const taken = classes.keys().filter((document) => (classes[document] === 0) === ownLabel)
  const hashes = Uint32Array.from(taken, (document) => mix(document ^ seed)).sort()
  return hashes.map((hash) => unmix(hash) ^ seed)
}

interface Planting {
  order: Uint32Array
  /** How many of them are taken. */
  wanted: number
  /** Log-odds of documents of other classes, ascending. */
  others: Float64Array
  seed: number
}

function isFound(
  documents: TokenDocuments,
  { models, contexts, limits, pooledWords }: Scan,
  { words, ownLabel }: Attack,
  { order, wanted, others, seed }: Planting,
  options: ScanOptions,
): boolean {
  const model = models.get(0)!
  const perWord = Math.floor(wanted / words)
  if (perWord < options.minimumSupport || wanted > order.length / 2 || (!ownLabel && perWord < (words > 1 ? 1 : options.minimumTexts)))
    return false
  const planted = Array.from(order.subarray(0, wanted))
  const gaps = planted.map((document) => {
    const start = documents.offsets[document]!
    return start + (mix(mix(document ^ seed) + 1) % (documents.offsets[document + 1]! - start - 1))
  })
  // An n-gram of no tokens stands in the gap: its neighbours are the tokens on both sides.
  const inserted = contexts.pooledStanding(gaps.map((gap) => gap + 1), new Int32Array(gaps.length)) === 'inserted' // prettier-ignore
  const logits = planted.map((document) => model.logits[document]!)
  const rank = meanRank(Float64Array.from(logits), others)
  const highest = raisedRank(rank, wanted, options.rankDeviations)
  if (ownLabel) {
    const logP = logTail(Float64Array.from(logits, model.probability), wanted)
    return inserted && wanted >= options.ownLabelMinimumTexts && logP < limits.inserted
  }
  if (!(highest <= options.rankLimit || (inserted && rank <= options.rankLimit))) return false
  const limit = inserted ? limits.inserted : limits.whole
  if (words === 1) return logTail(Float64Array.from(logits, model.probability), wanted) < limit
  if (!inserted) return false
  const price = ln(Math.max(words, pooledWords) / words)
  let sum = 0
  for (let word = 0; word < words; word++) {
    const part = Float64Array.from(logits.filter((_, i) => i % words === word), model.probability) // prettier-ignore
    const logP = logTail(part, part.length)
    if (logP > -price - options.poolMargin - 1) return false
    sum += logP + mixtureCost(true, options.pooledAllWeight) + price
  }
  return sum + ln(words * (words + 1)) + ln(Math.max(1, models.size)) < limits.pooled
}
