/** What every group of the bench works with: the detectors, the vectors of texts, and the collector of figures. */
import type { Parameter } from '../../core/documents/recipe.ts'
import type { FindingProperty } from '../../core/findings.ts'
import { runDetector } from '../detectorRun.ts'
import type { Benchmark, Detector, DetectorResult, Embeddings, Reference } from '../detectors/detector.ts'
import type { EvalCorpus } from './evalCorpus.ts'
import type { EvalFile } from './evalFile.ts'
import type { ImageVectors } from './imageVectors.ts'
import type { Learner } from './learners/learner.ts'
import type { Figures, Place } from './result.ts'
import type { TextVectors } from './textVectors.ts'

export interface Bench {
  readonly detectors: readonly Detector[]
  readonly learners: readonly Learner[]
  /** Null where the run is without a model: detectors of tier T1 are skipped then, and named. */
  readonly vectors: TextVectors | null
  readonly imageVectors: ImageVectors | null
  readonly figures: Figures
  /** Content hashes of the texts that shipped weights were fitted on: they are not scored with these. */
  readonly fittedContents: { has(content: string): boolean }
  /** How often an injection is repeated with another seed. */
  readonly seeds: number
  readonly signal: AbortSignal
  /** What is being worked on, for a person. */
  readonly onStage: (stage: string) => void
}

/** One folder of the data: what is measured on its files. */
export interface Group {
  readonly name: string
  evaluate(files: readonly EvalFile[], bench: Bench): Promise<void>
}

/** The detectors of a property; where there is none, that is named. */
export function detectorsOf({ detectors, figures }: Bench, property: FindingProperty, reads = readsText): Detector[] {
  const found = detectors.filter((detector) => detector.property === property && reads(detector.needs))
  if (found.length === 0) figures.skip(`${property}${reads === readsImages ? ' of images' : ''}: no detector`)
  return found
}

export function readsText(needs: Detector['needs']): boolean {
  return needs.image !== true
}

/** Embeddings may be of images as well as of texts. */
export function readsImages(needs: Detector['needs']): boolean {
  return needs.image === true || (needs.embeddings === true && needs.text !== true)
}

/** How a corpus is embedded at most once for all detectors that are run on it. */
export interface Subject {
  readonly corpus: EvalCorpus
  embeddings(layers: boolean): Promise<Embeddings>
}

export function subjectOf(
  corpus: EvalCorpus,
  { vectors, imageVectors, signal }: Pick<Bench, 'vectors' | 'imageVectors' | 'signal'>,
): Subject {
  const made = new Map<boolean, Promise<Embeddings>>()
  return {
    corpus,
    embeddings(layers) {
      if (vectors === null || imageVectors === null) throw new Error('this run is without a model')
      let embeddings = made.get(layers)
      if (embeddings === undefined) {
        embeddings = corpus.images === undefined ? vectors.embeddings(corpus, { layers, signal }) : imageVectors.embeddings(corpus, signal)
        made.set(layers, embeddings)
      }
      return embeddings
    },
  }
}

export interface RunOptions {
  /** What the rows are compared with. */
  benchmarks?: readonly Benchmark[]
  /** Human texts of the rows' language and kind. */
  references?: readonly Reference[]
  parameters?: Readonly<Record<string, Parameter>>
  /** Whether time and coverage are figures of this run; by default they are. */
  measured?: boolean
}

/** Runs a detector as a verification would; null, and named, where it does not run on this corpus. */
export async function run(
  bench: Bench,
  detector: Detector,
  subject: Subject,
  place: Omit<Place, 'detector'>,
  { benchmarks, references, parameters = {}, measured = true }: RunOptions = {},
): Promise<DetectorResult | null> {
  const { figures, signal, vectors } = bench
  const { corpus } = subject
  const where: Place = { ...place, detector: detector.id }
  if (detector.needs.embeddings === true && vectors === null) {
    figures.skip(`${detector.id}: not run, because this run is without a model`)
    return null
  }
  bench.onStage(`${place.group}/${place.file} [${place.slice}] ${detector.id}`)
  const embeddings = detector.needs.embeddings === true ? await subject.embeddings(detector.needs.layers === true) : undefined
  const reference = {
    id: detector.id,
    version: detector.version,
    tier: detector.tier,
    parameters: { ...detector.parameters, ...parameters },
  }
  const [start, cpuStart] = [performance.now(), process.cpuUsage()]
  const result = await runDetector({ detector, reference }, corpus, { benchmarks, references, embeddings, signal, onProgress: () => {} })
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuStart)
  if (!result.ran) {
    if (measured) figures.share(where, 'coverage', 0, corpus.count)
    figures.skip(`${detector.id} on ${place.group}/${place.file}: not run, because: ${result.note}`)
    return null
  }
  if (measured) {
    figures.share(where, 'coverage', ones(result.scores.valid), corpus.count)
    figures.number(where, 'seconds', seconds, corpus.count)
    figures.number(where, 'rows_per_second', corpus.count / Math.max(seconds, 1e-9), corpus.count)
    figures.number(where, 'rows_per_cpu_second', (corpus.count * 1e6) / Math.max(cpu.user + cpu.system, 1), corpus.count)
  }
  return result
}

export function ones(bits: Uint8Array): number {
  return bits.reduce((sum, bit) => sum + bit, 0)
}

/** Scores of the samples that are `wanted` and were scored. */
export function scoresOf({ scores }: DetectorResult, wanted: (sample: number) => boolean): number[] {
  const found: number[] = []
  for (let sample = 0; sample < scores.valid.length; sample++)
    if (scores.valid[sample] && wanted(sample)) found.push(scores.values[sample]!)
  return found
}

/** The default recipe's chance of a false alarm in one property. */
const ALARM = 0.01

/** Whether the detector would have its property flagged; null for an exploratory one, which never decides. */
export function alarms({ pValue, findings }: DetectorResult): boolean | null {
  return pValue === undefined ? null : pValue < ALARM && findings.length > 0
}
