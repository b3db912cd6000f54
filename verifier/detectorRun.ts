/** Running the detectors of a recipe on a corpus. */
import type { DetectorReference } from '../core/documents/recipe.ts'
import { Problem } from '../core/problem.ts'
import type { Benchmark, Corpus, Detector, DetectorAbstained, DetectorResult, Embeddings } from './detectors/detector.ts'

export interface DetectorJob {
  detector: Detector
  reference: DetectorReference
}

/** The detectors that a recipe names. Throws `not-found` where this verifier has another version or none. */
export function detectorsOf(references: readonly DetectorReference[], known: readonly Detector[]): DetectorJob[] {
  return references.map((reference) => {
    const detector = known.find(({ id, version }) => id === reference.id && version === reference.version)
    if (detector === undefined)
      throw new Problem(
        'not-found',
        `this verifier has no detector ${reference.id} of version ${reference.version}; run the program that the recipe is from`,
      )
    return { detector, reference }
  })
}

export interface RunOptions {
  /** Those that the recipe names. */
  benchmarks?: readonly Benchmark[] | undefined
  embeddings?: Embeddings | undefined
  /** Why there are none, where there are none. */
  withoutEmbeddings?: string | undefined
  /** How far a similarity may be from another verifier's, in millionths. */
  toleranceMillionths?: number | undefined
  signal: AbortSignal
  onProgress: (share: number) => void
}

/** Runs one detector, unless the corpus lacks what it needs: then it says so. */
export async function runDetector(
  { detector, reference }: DetectorJob,
  corpus: Corpus,
  { benchmarks = [], embeddings, withoutEmbeddings, toleranceMillionths = 0, signal, onProgress }: RunOptions,
): Promise<DetectorResult | DetectorAbstained> {
  if (detector.needs.benchmarks === true && benchmarks.length === 0)
    return { ran: false, note: 'The recipe names no benchmark sets to compare with.' }
  const missing = lacks(detector, corpus, embeddings, withoutEmbeddings)
  if (missing !== null) return { ran: false, note: missing }
  return detector.run({
    corpus,
    benchmarks,
    parameters: reference.parameters,
    toleranceMillionths,
    signal,
    onProgress,
    ...(embeddings === undefined ? {} : { embeddings }),
  })
}

function lacks({ needs }: Detector, corpus: Corpus, embeddings: Embeddings | undefined, withoutEmbeddings?: string): string | null {
  if (needs.text === true && !some(corpus.count, (sample) => corpus.text(sample) !== null)) return 'No sample has a text.'
  if (needs.label === true && !some(corpus.count, (sample) => corpus.label(sample) !== null)) return 'No sample has a label.'
  if (needs.embeddings === true && embeddings === undefined) return withoutEmbeddings ?? 'There are no embeddings.'
  return null
}

function some(count: number, test: (sample: number) => boolean): boolean {
  for (let sample = 0; sample < count; sample++) if (test(sample)) return true
  return false
}
