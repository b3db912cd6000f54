/**
 * Openings and endings that many texts share. Two passes: counts by hash in a small table, then the texts themselves where a count is
 * high, so that a million texts take no more memory than a thousand.
 */
import { mix } from '../numeric.ts'
import { eachToken } from '../text/tokens.ts'

export type Edge = 'opening' | 'ending'

export interface SharedEdge {
  /** The tokens in question, as they stand in the first text. */
  words: string
  /** All samples that have it, ascending. */
  samples: number[]
  /** Different texts among them, counted up to `least`. */
  differentTexts: number
}

const EDGE_TOKENS = 8
/** Texts with fewer tokens are all edge. */
const LEAST_TOKENS = 16
/** Where the last tokens are looked for. */
const ENDING_CHARACTERS = 160
const BUCKETS = 2 ** 20

/** Edges of at least `least` samples, the most frequent first. `textOf` gives canonical texts. */
export function sharedEdges(count: number, textOf: (sample: number) => string | null, edge: Edge, least: number): SharedEdge[] {
  const counts = new Uint32Array(BUCKETS)
  const bucketOf = new Int32Array(count).fill(-1)
  for (let sample = 0; sample < count; sample++) {
    const words = edgeOf(textOf(sample), edge)
    if (words !== null) counts[(bucketOf[sample] = hashOf(words) % BUCKETS)]!++
  }
  const found = new Map<string, SharedEdge & { texts: Set<number> }>()
  for (let sample = 0; sample < count; sample++) {
    if (bucketOf[sample]! < 0 || counts[bucketOf[sample]!]! < least) continue
    const text = textOf(sample)
    const words = edgeOf(text, edge)
    if (text === null || words === null) continue
    let shared = found.get(words)
    if (shared === undefined) found.set(words, (shared = { words, samples: [], differentTexts: 0, texts: new Set() }))
    shared.samples.push(sample)
    if (shared.texts.size < least) shared.texts.add(hashOf(text))
  }
  return [...found.values()]
    .filter(({ samples }) => samples.length >= least)
    .map(({ texts, ...shared }) => ({ ...shared, differentTexts: texts.size }))
    .sort((a, b) => b.samples.length - a.samples.length || (a.words < b.words ? -1 : 1))
}

/** The first or last tokens of a text as they stand there; null in a short text. */
function edgeOf(text: string | null, edge: Edge): string | null {
  if (text === null) return null
  const part = edge === 'opening' ? text : text.slice(-ENDING_CHARACTERS)
  const bounds: number[] = []
  eachToken(part, (start, end) => {
    bounds.push(edge === 'opening' ? end : start)
    return edge === 'ending' || bounds.length < LEAST_TOKENS
  })
  if (bounds.length < LEAST_TOKENS) return null
  return edge === 'opening' ? part.slice(0, bounds[EDGE_TOKENS - 1]) : part.slice(bounds.at(-EDGE_TOKENS))
}

/** FNV-1a over UTF-16 units, mixed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}
