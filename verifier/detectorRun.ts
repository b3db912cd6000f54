/** Running the detectors of a recipe on a corpus. */
import type { DetectorReference } from '../core/documents/recipe.ts'
import { Problem } from '../core/problem.ts'
import type { Benchmark, Corpus, Detector, DetectorAbstained, DetectorResult, Embeddings, Reference } from './detectors/detector.ts'
import { withoutReferences } from './references/cells.ts'

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
  /** Those of the corpus's language and kind of text. */
  references?: readonly Reference[] | undefined
  /** Why there are none, where the recipe has some. */
  withoutReferences?: string | undefined
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
  options: RunOptions,
): Promise<DetectorResult | DetectorAbstained> {
  const { benchmarks = [], references = [], embeddings, toleranceMillionths = 0, signal, onProgress } = options
  const missing = lacks(detector, corpus, options)
  if (missing !== null) return { ran: false, note: missing }
  return detector.run({
    corpus,
    benchmarks,
    references,
    parameters: reference.parameters,
    toleranceMillionths,
    signal,
    onProgress,
    ...(embeddings === undefined ? {} : { embeddings }),
  })
}

function lacks({ needs }: Detector, corpus: Corpus, options: RunOptions): string | null {
  const { benchmarks = [], references = [], embeddings } = options
  if (needs.benchmarks === true && benchmarks.length === 0) return 'The recipe names no benchmark sets to compare with.'
  if (needs.text === true && !some(corpus.count, (sample) => corpus.text(sample) !== null)) return 'No sample has a text.'
  if (needs.image === true && corpus.images?.parts.states.some((state) => state !== 0) !== true) return 'No sample has an image.'
  if (needs.label === true && !some(corpus.count, (sample) => corpus.label(sample) !== null)) return 'No sample has a label.'
  if (needs.references === true && references.length === 0) return options.withoutReferences ?? withoutReferences(corpus)
  if (needs.embeddings === true && embeddings === undefined) return options.withoutEmbeddings ?? 'There are no embeddings.'
  if (needs.layers === true && !embeddings?.layers?.length) return "The recipe's model gives no inner layers."
  return null
}

function some(count: number, test: (sample: number) => boolean): boolean {
  for (let sample = 0; sample < count; sample++) if (test(sample)) return true
  return false
}
