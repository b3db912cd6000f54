/**
 * Near duplicates (D1): samples that share most of their word 5-grams with an earlier one. One-permutation MinHash (Li, Owen, Zhang
 * 2012) of 256 bins, empty bins filled by optimal densification (Shrivastava 2017), cut into 32 bands of 8 rows, finds candidates; the
 * exact Jaccard similarity of the 5-gram sets decides. Sample i is flagged when it is similar enough to a *kept* sample before it, so
 * that everything that is dropped has a near twin that stays, and chains of small changes do not swallow a corpus.
 *
 * A sample's score is its similarity to the kept sample in millionths; 0 where none is near. Texts shorter than `minimumTokens` are
 * not looked at. Hashes are 32-bit multiply-xorshift of integers.
 */
import { sharedCount } from '../ascending.ts'
import type { Power } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { groupsOfKept } from '../duplicates/groups.ts'
import { createBandIndex } from '../duplicates/bandIndex.ts'
import { REWORDING_ATTACKS } from '../injection/copies.ts'
import { mix } from '../numeric.ts'
import { drawTexts, powerOfRows, powerRandom, ROW_POWER_PARAMETERS } from '../power.ts'
import { canonicalText } from '../text/canonical.ts'
import { eachToken } from '../text/tokens.ts'
import { wordDiff } from '../text/wordDiff.ts'
import { createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const SHINGLE = 5
const BINS = 256
const BAND_ROWS = 8
const BANDS = BINS / BAND_ROWS
const EMPTY = 0xffffffff
/** Samples of a group whose differences from the kept one are shown. */
const DIFFERENCES = 5

/** Makes the hashes of texts' word 5-grams, in memory that every text overwrites. */
function createShingler(maximumTokens: number): (text: string) => { tokenCount: number; hashes: Uint32Array } {
  let tokens = new Uint32Array(1024)
  let hashes = new Uint32Array(1024)
  return (text) => {
    let tokenCount = 0
    eachToken(text.toLowerCase(), (_start, _end, hash) => {
      if (tokenCount === tokens.length) tokens = doubled(tokens)
      tokens[tokenCount++] = mix(hash)
      return tokenCount < maximumTokens
    })
    if (hashes.length < tokens.length) hashes = new Uint32Array(tokens.length)
    const size = Math.max(1, tokenCount - SHINGLE + 1)
    for (let i = 0; i < size; i++) {
      let hash = 0
      for (let j = i; j < Math.min(i + SHINGLE, tokenCount); j++) hash = Math.imul(hash, 0x9e3779b1) + tokens[j]!
      hashes[i] = mix(hash)
    }
    return { tokenCount, hashes: hashes.subarray(0, size) }
  }
}

function doubled(from: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(2 * from.length)
  to.set(from)
  return to
}

/** Hashes as an ascending set in memory of its own. */
function asSet(hashes: Uint32Array): Uint32Array {
  const sorted = hashes.toSorted()
  let distinct = 0
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[distinct - 1]) sorted[distinct++] = sorted[i]!
  return sorted.slice(0, distinct)
}

/** The distinct hashes of a canonical text's word 5-grams, case folded, ascending; of all its tokens together where it has fewer. */
export function shingles(text: string, maximumTokens: number): { tokenCount: number; hashes: Uint32Array } {
  const { tokenCount, hashes } = createShingler(maximumTokens)(text)
  return { tokenCount, hashes: asSet(hashes) }
}

/** |A ∩ B| / |A ∪ B| of two ascending sets. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  const shared = sharedCount(a, b)
  return shared / (a.length + b.length - shared)
}

const bins = new Uint32Array(BINS)
const dense = new Uint32Array(BINS)

/** The keys of the 32 bands of a set's signature; hashes may be in any order and repeat. */
function bandKeys(hashes: Uint32Array, keys: Uint32Array): void {
  bins.fill(EMPTY)
  for (const hash of hashes) {
    const bin = hash >>> 24
    const value = Math.imul(hash, 0x9e3779b1) >>> 0
    if (value < bins[bin]!) bins[bin] = value
  }
  for (let bin = 0; bin < BINS; bin++) {
    let from = bin
    for (let attempt = 1; bins[from] === EMPTY; attempt++) from = mix(bin * 0x10001 + attempt) >>> 24
    dense[bin] = bins[from]!
  }
  for (let band = 0; band < BANDS; band++) {
    let key = band
    for (let row = 0; row < BAND_ROWS; row++) key = Math.imul(mix(key) + dense[band * BAND_ROWS + row]!, 0x9e3779b1)
    keys[band] = mix(key)
  }
}

export const nearDuplicate: Detector = {
  id: 'near_duplicate',
  version: 3,
  tier: 'T0',
  property: 'duplication',
  flag: 'near_duplicate',
  needs: { text: true },
  parameters: {
    similarityMillionths: 700_000,
    minimumTokens: 8,
    maximumTokens: 65_536,
    candidatesPerBand: 16,
    groupsInEvidence: 8,
    ...ROW_POWER_PARAMETERS,
  },
  async run({ corpus, parameters, signal, onProgress }) {
    const threshold = integerParameter(parameters, 'similarityMillionths') / 1_000_000
    const minimumTokens = integerParameter(parameters, 'minimumTokens')
    const maximumTokens = integerParameter(parameters, 'maximumTokens')
    const candidatesPerBand = integerParameter(parameters, 'candidatesPerBand')
    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    const clusters = new Int32Array(corpus.count).fill(-1)
    const bands = createBandIndex(BANDS, corpus.count, candidatesPerBand)
    const shingler = createShingler(maximumTokens)
    const setOf = recentSets(corpus, maximumTokens)
    const keys = new Uint32Array(BANDS)

    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 1024 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      const text = corpus.canonicalText(sample)
      if (text === null) continue
      const { tokenCount, hashes } = shingler(text)
      if (tokenCount < minimumTokens) continue
      scores.valid[sample] = 1
      bandKeys(hashes, keys)
      const nearest = nearestKept(hashes)
      if (nearest !== null) {
        flagged[sample] = 1
        clusters[sample] = nearest.sample
        clusters[nearest.sample] = nearest.sample
        scores.values[sample] = Math.floor(nearest.similarity * 1_000_000)
        continue
      }
      bands.add(sample, keys)
    }
    const findings = findingsOf()
    return { ran: true, scores, flagged, clusters, findings, pValue: findings.length === 0 ? 1 : 0, power: measurePower() }

    /** Of copies with words changed, against what is kept. A verdict asks for none: of short texts one word is a large part. */
    function measurePower(): Power[] {
      const rows = integerParameter(parameters, 'powerRows')
      if (rows === 0) return []
      const random = powerRandom(corpus, 'near copies')
      const limits = { random, rows, characters: integerParameter(parameters, 'powerCharacters') }
      const drawn = drawTexts(corpus.count, (sample) => corpus.text(sample), limits)
      return REWORDING_ATTACKS.map((attack) => {
        const found = drawn.filter((sample) => {
          const { tokenCount, hashes } = shingler(canonicalText(attack.copy(corpus.text(sample)!, random)))
          if (tokenCount < minimumTokens) return false
          bandKeys(hashes, keys)
          return nearestKept(hashes) !== null
        })
        const told = { name: `copies of texts: ${attack.name} changed`, required: false } as const
        return powerOfRows(told, { injected: drawn.length, found: found.length }, corpus.count)
      })
    }

    /** The kept sample that is most similar, the lowest number of equals; null below the threshold. */
    function nearestKept(hashes: Uint32Array): { sample: number; similarity: number } | null {
      const candidates = bands.candidates(keys)
      if (candidates.length === 0) return null
      const set = asSet(hashes)
      let best: { sample: number; similarity: number } | null = null
      for (const candidate of candidates) {
        const similarity = jaccard(set, setOf(candidate))
        if (similarity < threshold) continue
        if (best === null || similarity > best.similarity || (similarity === best.similarity && candidate < best.sample))
          best = { sample: candidate, similarity }
        if (similarity === 1) return best
      }
      return best
    }

    function findingsOf(): Finding[] {
      const largest = groupsOfKept(flagged, clusters)
      if (largest.length === 0) return []
      const duplicates = largest.reduce((sum, [, group]) => sum + group.length, 0)
      const summary: Finding = {
        detector: 'near_duplicate',
        property: 'duplication',
        flag: 'near_duplicate',
        summary: `${duplicates === 1 ? '1 sample shares' : `${duplicates} samples share`} at least ${Math.round(threshold * 100)} % of word 5-grams with an earlier sample that is kept; such groups: ${largest.length}.`,
        sampleCount: duplicates,
        samples: largest.flatMap(([, group]) => group).sort((a, b) => a - b).slice(0, MAX_FINDING_SAMPLES), // prettier-ignore
        facts: { groups: largest.length, largest_group: largest[0]![1].length + 1 },
      }
      const groups = largest.slice(0, integerParameter(parameters, 'groupsInEvidence')).map(([kept, group]): Finding => ({
        detector: 'near_duplicate',
        property: 'duplication',
        flag: 'near_duplicate',
        summary: `${group.length === 1 ? '1 sample is' : `${group.length} samples are`} nearly the same as sample ${kept}, which is kept.`,
        sampleCount: group.length,
        samples: group.slice(0, MAX_FINDING_SAMPLES),
        facts: {
          similarity_millionths: scores.values[group[0]!]!,
          kept: excerpt(corpus.text(kept)!),
          nearly_the_same: excerpt(corpus.text(group[0]!)!),
          differences: group.slice(0, DIFFERENCES).map((sample) => {
            const difference = wordDiff(corpus.text(kept)!, corpus.text(sample)!)
            return `sample ${sample}: ${difference ?? 'the same words'}`
          }),
          ...labelsOf([kept, ...group]),
        },
      }))
      return [summary, ...groups]
    }

    /** Where they are not the same. */
    function labelsOf(samples: readonly number[]): { labels?: string[] } {
      const labels = new Set(samples.map((sample) => corpus.label(sample) ?? '(none)'))
      return labels.size < 2 ? {} : { labels: [...labels].slice(0, 16).map((label) => label.slice(0, 128)) }
    }
  },
}

/** The 5-gram sets of kept samples, made again when they have fallen out of a bounded memory (first in, first out). */
function recentSets(corpus: { canonicalText(sample: number): string | null }, maximumTokens: number): (sample: number) => Uint32Array {
  const LIMIT_BYTES = 128 * 1024 * 1024
  const sets = new Map<number, Uint32Array>()
  let bytes = 0
  return (sample) => {
    const known = sets.get(sample)
    if (known !== undefined) return known
    const { hashes } = shingles(corpus.canonicalText(sample)!, maximumTokens)
    sets.set(sample, hashes)
    bytes += hashes.byteLength
    for (const [oldest, set] of sets) {
      if (bytes <= LIMIT_BYTES || oldest === sample) break
      sets.delete(oldest)
      bytes -= set.byteLength
    }
    return hashes
  }
}
