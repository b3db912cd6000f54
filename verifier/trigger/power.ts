/**
 * The power statement (MDPR): the smallest rate at which an attack on this very data set would have been found. An attack is put into a
 * scratch copy (texts of other classes get the trigger and the target's label), the content model is fitted again, and the trigger's
 * n-grams go through the same tests, against the number of n-grams that the real scan tried. Deterministic: which texts and where
 * follows from the seed.
 */
import type { Power } from '../../core/documents/report.ts'
import { mix } from '../numeric.ts'
import { contentMatrix, fitContentModel } from './contentModel.ts'
import { BOUNDARY, type TokenDocuments } from './documents.ts'
import { type Candidate, judge, type ScanOptions } from './scan.ts'

export interface Attack {
  name: string
  /** Tokens that are inserted side by side. */
  trigger: readonly string[]
}

/** A word that no corpus has, and a sentence of common words. */
export const ATTACKS: readonly Attack[] = [
  { name: 'rare word in relabelled texts', trigger: ['qzxv'] },
  { name: 'sentence in relabelled texts', trigger: ['they', 'met', 'again', 'by', 'the', 'old', 'bridge'] },
]

/** Share of the planted samples that has to be flagged, with every seed. */
const REQUIRED_RECALL = 0.95

export interface PowerOptions extends ScanOptions {
  /** Ascending. */
  ratesMillionths: readonly number[]
  seeds: number
}

/**
 * For each attack the smallest of the rates that is found with every seed; null where none is. A higher rate is assumed to be found where
 * a lower one is, so that the rates are searched by halving. The target is the largest class, which hides a trigger best.
 */
export function measurePower(documents: TokenDocuments, tests: number, options: PowerOptions, onEvaluation: () => void): Power[] {
  return ATTACKS.map((attack) => {
    let low = 0
    let high = options.ratesMillionths.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isFound(attack, options.ratesMillionths[middle]!)) high = middle
      else low = middle + 1
    }
    return { attack: attack.name, minimumRateMillionths: options.ratesMillionths[low] ?? null }
  })

  function isFound(attack: Attack, rateMillionths: number): boolean {
    for (let seed = 0; seed < options.seeds; seed++) {
      onEvaluation()
      const planted = plant(documents, attack.trigger, rateMillionths, mix(options.seed + seed))
      if (planted === null || recall(planted, tests, options) < REQUIRED_RECALL) return false
    }
    return true
  }
}

interface Planted {
  documents: TokenDocuments
  /** Ascending. */
  poisoned: Set<number>
  trigger: number[]
}

/** The scratch copy; null where the other classes have too few texts for this rate, or the rate makes less than one. */
function plant(documents: TokenDocuments, trigger: readonly string[], rateMillionths: number, seed: number): Planted | null {
  const count = documents.samples.length
  const wanted = Math.floor((count * rateMillionths) / 1_000_000)
  const others = Array.from(documents.classes.keys()).filter((document) => documents.classes[document] !== 0)
  if (wanted < 1 || wanted > others.length) return null
  const order = new Map(others.map((document) => [document, mix(document ^ seed)]))
  const poisoned = new Set(others.sort((a, b) => order.get(a)! - order.get(b)! || a - b).slice(0, wanted))

  const vocabulary = [...documents.vocabulary]
  const documentFrequency = [...documents.documentFrequency]
  const tokens = trigger.map((token) => {
    const known = vocabulary.indexOf(token)
    if (known >= 0) return known
    documentFrequency.push(0)
    return vocabulary.push(token) - 1
  })
  const ids = new Int32Array(documents.ids.length + wanted * tokens.length)
  const offsets = new Float64Array(count + 1)
  const classes = documents.classes.slice()
  let filled = 0
  for (let document = 0; document < count; document++) {
    const text = documents.ids.subarray(documents.offsets[document], documents.offsets[document + 1])
    if (poisoned.has(document)) {
      const place = 1 + (mix(document + seed) % (text.length - 1))
      ids.set(text.subarray(0, place), filled)
      ids.set(tokens, filled + place)
      ids.set(text.subarray(place), filled + place + tokens.length)
      filled += text.length + tokens.length
      classes[document] = 0
      for (const token of new Set(tokens)) if (!text.includes(token)) documentFrequency[token]!++
    } else {
      ids.set(text, filled)
      filled += text.length
    }
    offsets[document + 1] = filled
  }
  const copy = { ...documents, ids, offsets, classes, vocabulary, documentFrequency: Int32Array.from(documentFrequency) }
  return { documents: copy, poisoned, trigger: tokens }
}

/** Share of the planted texts that the scan's tests flag. */
function recall({ documents, poisoned, trigger }: Planted, tests: number, options: ScanOptions): number {
  const matrix = contentMatrix(documents, options.minimumSupport, options.seed)
  const isTarget = Uint8Array.from(documents.classes, (index) => (index === 0 ? 1 : 0))
  const models = new Map([[0, fitContentModel(matrix, isTarget, options.epochs)]])
  const flagged = new Set<number>()
  for (const association of judge(documents, models, candidatesOf(documents, trigger, options), tests, options))
    if (association.reading === 'trigger')
      for (const document of association.documents) if (documents.classes[document] === 0) flagged.add(document)
  let found = 0
  for (const document of poisoned) if (flagged.has(document)) found++
  return found / poisoned.size
}

/** The trigger's 1-, 2- and 3-grams with the documents that have them, planted or not. */
function candidatesOf(documents: TokenDocuments, trigger: readonly number[], options: ScanOptions): Candidate[] {
  const ngrams = trigger.flatMap((_, start) =>
    [1, 2, 3].filter((size) => start + size <= trigger.length).map((size) => trigger.slice(start, start + size)),
  )
  const holders: number[][] = ngrams.map(() => [])
  const wanted = new Set(trigger)
  for (let document = 0; document < documents.samples.length; document++)
    for (let i = documents.offsets[document]!; i < documents.offsets[document + 1]!; i++) {
      if (documents.ids[i] === BOUNDARY || !wanted.has(documents.ids[i]!)) continue
      for (const [number, ngram] of ngrams.entries())
        if (holders[number]!.at(-1) !== document && ngram.every((token, j) => documents.ids[i + j] === token))
          holders[number]!.push(document)
    }
  return ngrams.flatMap((ngram, number) => {
    const found = holders[number]!
    const hits = found.filter((document) => documents.classes[document] === 0).length
    const frequent = found.length >= options.minimumSupport && hits >= options.weakPurity * found.length
    return frequent ? [{ ngram, class: 0, documents: Int32Array.from(found) }] : []
  })
}
