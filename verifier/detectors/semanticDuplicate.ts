/**
 * Semantic duplicates (D1, tier T1): texts that say nearly the same in other words, images that show nearly the same. Two samples are linked where the cosine similarity
 * of their embeddings is at least `similarityMillionths` and the shorter text has at least `lengthPercent` of the longer one's
 * characters, since the embedding reads beginnings only; linked samples form clusters, and the lowest number of each is kept. A
 * sample's score is the similarity to its nearest other, in millionths. Exploratory: similar is not equal.
 */
import { excerptOf } from '../contents.ts'
import type { Finding } from '../../core/findings.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../knn/search.ts'
import { wordDiff } from '../text/wordDiff.ts'
import { type Corpus, createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000

export const semanticDuplicate: Detector = {
  id: 'semantic_duplicate',
  version: 4,
  tier: 'T1',
  property: 'duplication',
  flag: 'semantic_duplicate',
  needs: { embeddings: true },
  parameters: {
    ...NEIGHBOUR_PARAMETERS,
    similarityMillionths: 950_000,
    /** Images of one kind (digits, garments) are nearer to each other than texts are. */
    imageSimilarityMillionths: 980_000,
    lengthPercent: 50,
    /** Shorter texts ("yes", "no") may well stand in many different rows. */
    minimumCharacters: 32,
    groupsInEvidence: 8,
  },
  async run({ corpus, embeddings, parameters, toleranceMillionths = 0, signal }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const { ofImages = false } = embeddings
    const similarityMillionths = integerParameter(parameters, ofImages ? 'imageSimilarityMillionths' : 'similarityMillionths')
    const lengthPercent = integerParameter(parameters, 'lengthPercent')
    const minimumCharacters = integerParameter(parameters, 'minimumCharacters')
    const neighbours = await embeddings.neighbours(neighbourSearch(parameters))
    const { k } = neighbours
    signal.throwIfAborted()

    const lengths = Int32Array.from({ length: corpus.count }, (_, sample) => corpus.canonicalText(sample)?.length ?? 0)
    const scores = createScores(corpus.count, false)
    const sets = createDisjointSets(corpus.count)
    const borderline = new Uint8Array(corpus.count)
    for await (const { first, count, samples, similarities } of neighbours.blocks())
      for (let i = 0; i < count; i++) {
        const sample = first + i
        if (!embeddings.valid[sample]) continue
        scores.valid[sample] = 1
        scores.values[sample] = samples[i * k]! < 0 ? 0 : millionths(similarities[i * k]!)
        for (let at = i * k; at < (i + 1) * k && samples[at]! >= 0; at++) {
          const over = millionths(similarities[at]!) - similarityMillionths
          if (over < -toleranceMillionths) break
          if (!ofImages && !comparable(lengths[sample]!, lengths[samples[at]!]!)) continue
          if (toleranceMillionths > 0 && Math.abs(over) <= toleranceMillionths) borderline[sample] = borderline[samples[at]!] = 1
          if (over >= 0) sets.join(sample, samples[at]!)
        }
      }

    const groups = sets.groups()
    const flagged = new Uint8Array(corpus.count)
    const clusters = new Int32Array(corpus.count).fill(-1)
    for (const group of groups)
      for (const sample of group) {
        clusters[sample] = group[0]!
        flagged[sample] = sample === group[0] ? 0 : 1
      }
    return {
      ran: true,
      ...(ofImages ? {} : { note: 'Texts are compared by their beginnings, as far as the embedding model reads them.' }),
      scores,
      flagged,
      borderline,
      clusters,
      findings: findingsOf(),
    }

    function comparable(a: number, b: number): boolean {
      const shorter = Math.min(a, b)
      return shorter >= minimumCharacters && shorter * 100 >= Math.max(a, b) * lengthPercent
    }

    function findingsOf(): Finding[] {
      if (groups.length === 0) return []
      const duplicates = [...flagged.keys()].filter((sample) => flagged[sample])
      const verbs = ofImages ? ['shows', 'show'] : ['says', 'say']
      const largest = groups.toSorted((a, b) => b.length - a.length || a[0]! - b[0]!)
      return [
        {
          detector: 'semantic_duplicate',
          property: 'duplication',
          flag: 'semantic_duplicate',
          summary: `${duplicates.length === 1 ? `1 sample ${verbs[0]}` : `${duplicates.length} samples ${verbs[1]}`} nearly the same as an earlier one (cosine similarity of at least ${(similarityMillionths / MILLION).toFixed(3)}); groups of such samples: ${groups.length}, the largest of ${largest[0]!.length}.`,
          sampleCount: duplicates.length,
          samples: duplicates.slice(0, MAX_FINDING_SAMPLES),
          facts: { groups: groups.length, largest_group: largest[0]!.length },
        },
        ...largest.slice(0, integerParameter(parameters, 'groupsInEvidence')).map((group): Finding => ({
          detector: 'semantic_duplicate',
          property: 'duplication',
          flag: 'semantic_duplicate',
          summary: `${group.length} samples ${verbs[1]} nearly the same; sample ${group[0]} is kept.`,
          sampleCount: group.length,
          samples: group.slice(0, MAX_FINDING_SAMPLES),
          facts: {
            examples: group.slice(0, 3).map((sample) => `sample ${sample}: ${excerptOf(corpus, sample)}`),
            ...differencesOf(corpus, group),
          },
        })),
      ]
    }
  },
}

/** Of the second and third text from the kept one. */
function differencesOf(corpus: Corpus, [kept, ...others]: readonly number[]): { differences?: string[] } {
  const text = corpus.text(kept!)
  const differences = others.slice(0, 2).flatMap((sample) => {
    const other = corpus.text(sample)
    return text === null || other === null ? [] : [`sample ${sample}: ${wordDiff(text, other) ?? 'the same words'}`]
  })
  return differences.length === 0 ? {} : { differences }
}

function millionths(similarity: number): number {
  return Math.round(similarity * MILLION)
}

/** Disjoint sets of 0 … count − 1, each represented by its lowest member. */
function createDisjointSets(count: number) {
  const parents = Int32Array.from({ length: count }, (_, i) => i)
  const find = (item: number): number => {
    let root = item
    while (parents[root] !== root) root = parents[root]!
    for (let at = item; at !== root;) {
      const next = parents[at]!
      parents[at] = root
      at = next
    }
    return root
  }
  return {
    join(a: number, b: number): void {
      const [low, high] = [find(a), find(b)].toSorted((x, y) => x - y)
      parents[high!] = low!
    },
    /** The sets of two or more, members in rising order, by their lowest member. */
    groups(): number[][] {
      const members = new Map<number, number[]>()
      for (let item = 0; item < count; item++) {
        const root = find(item)
        const group = members.get(root)
        if (group === undefined) members.set(root, [item])
        else group.push(item)
      }
      return [...members.values()].filter((group) => group.length > 1)
    },
  }
}
