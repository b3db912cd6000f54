/**
 * A report: every detector of a recipe over the samples of an index. Deterministic: the same index, recipe and embeddings give the same
 * report. Detectors that need no embeddings run on a thread of their own while the texts are embedded.
 */
import type { CID } from '../core/cid.ts'
import { encodeDagJson, type Encoded } from '../core/documents/document.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { Recipe } from '../core/documents/recipe.ts'
import type { DetectorRun, Report } from '../core/documents/report.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { FINGERPRINT_COMPONENTS } from '../core/fingerprint.ts'
import { Evidence, flagMask, MAX_FINDINGS } from '../core/findings.ts'
import { encodeFindings, NO_SCORE } from '../core/findingsTable.ts'
import { Problem } from '../core/problem.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Progress } from '../store/jobs.ts'
import { openSamples } from '../store/samples.ts'
import { type ChosenColumns, chooseColumns } from './columns.ts'
import { chooseCompared, type ComparedSet, embedCompared, readCompared } from './compared.ts'
import { createCorpus, type CorpusColumns } from './corpus.ts'
import { type DetectorJob, detectorsOf, runDetector } from './detectorRun.ts'
import { runOnThread } from './detectorThread.ts'
import type { Corpus, DetectorAbstained, DetectorResult, Embeddings } from './detectors/detector.ts'
import { errorRatesUnder } from './errorRates/errorRates.ts'
import { fingerprintsOf } from './embedding/fingerprints.ts'
import { similarityToleranceMillionths } from './numerics/tolerance.ts'
import { COLUMNS_NOT_COVERED, notCoveredOf } from './notCovered.ts'
import { readCorpus, type ReadCorpusOptions, readImages } from './readCorpus.ts'
import { DETECTORS, needsLayers } from './recipe.ts'
import type { EmbeddingSource, ImageEmbeddingSource } from './shards/storedEmbeddings.ts'
import { judgeProperties, worstState } from './verdict.ts'

export interface BuildReportOptions {
  blocks: Blocks
  index: Encoded<SampleIndex>
  manifest: Manifest
  recipe: Encoded<Recipe>
  /** By the recipe's model; not needed where the recipe names none. */
  embedder?: EmbeddingSource | undefined
  /** By the recipe's model of images; not needed where there are texts, or no images. */
  imageEmbedder?: ImageEmbeddingSource | undefined
  /** Of a data set that the samples are compared with, by its index; the embedder itself unless given. */
  comparedEmbedder?: ((index: CID) => EmbeddingSource) | undefined
  signal: AbortSignal
  onProgress: (progress: Progress) => void
  /** Hears what the detectors said, by their ids, before it goes into tables: for those who compare it. */
  onResults?: (results: ReadonlyMap<string, DetectorResult | DetectorAbstained>) => void
}

/** Finds what there is to find and stores findings and evidence; the caller pins them. Throws `not-found` for a recipe of another program. */
export async function buildReport(options: BuildReportOptions): Promise<Report> {
  const { blocks, index, manifest, recipe, signal, onProgress } = options
  const { sampleCount } = index.document
  const jobs = detectorsOf(recipe.document.detectors, DETECTORS)
  const columns = chooseColumns(index.document, manifest.columns)
  const read = await readCorpus({
    blocks,
    index: index.document,
    manifest,
    columns,
    survey: surveyOf(jobs),
    signal,
    onProgress: (done) => onProgress({ stage: 'reading samples', done, total: sampleCount }),
  })
  const detectors = jobs.map(({ detector }) => detector)
  const chosen = chooseCompared({ recipe: recipe.document, index: index.cid, kind: manifest, detectors })
  const compared: ComparedSet[] = []
  for (const reference of chosen.references) compared.push(await readCompared(blocks, reference, signal))
  const { results, fingerprints } = await runDetectors(
    jobs,
    { read, columns, compared, withoutReferences: chosen.withoutReferences },
    options,
  )

  options.onResults?.(new Map(jobs.map(({ detector }, i) => [detector.id, results[i]!])))
  const outcomes = jobs.map(({ detector }, i) => ({ id: detector.id, property: detector.property, result: results[i]! }))
  const properties = judgeProperties(outcomes, sampleCount, recipe.document.verdict, manifest.synthetic).map((result) => ({
    ...result,
    notCovered: notCoveredOf(result.property, columns.image !== null),
  }))
  const errorRates = errorRatesUnder(recipe.document)
  const evidence = results.flatMap((result) => (result.ran ? result.findings : [])).slice(0, MAX_FINDINGS)
  return {
    kind: 'report',
    version: 1,
    index: index.cid,
    recipe: recipe.cid,
    sampleCount,
    verdict: worstState(properties),
    properties,
    detectors: jobs.map(({ detector: { id, tier, property } }, i): DetectorRun => ({
      id,
      tier,
      property,
      ...ranAs(results[i]!),
      ...(errorRates[id] === undefined ? {} : { errorRates: errorRates[id] }),
    })),
    findings: (await blocks.importBytes(findingsTable(jobs, results, sampleCount))).cid,
    evidence: (await blocks.importBytes(encodeDagJson(Evidence.parse(evidence)))).cid,
    ...(fingerprints === undefined ? {} : { fingerprints: (await blocks.importBytes(fingerprints)).cid }),
    columns: {
      ...(columns.text === null ? {} : { text: columns.text }),
      ...(columns.image === null ? {} : { image: columns.image }),
      ...(columns.label === null ? {} : { label: columns.label }),
      guessed: columns.guessed,
    },
    notCovered: [...columns.notes, COLUMNS_NOT_COVERED],
  }
}

/** How far the columns are looked at that no detector keeps; undefined where none asks. */
function surveyOf(jobs: readonly DetectorJob[]): ReadCorpusOptions['survey'] {
  const asking = jobs.filter(({ detector }) => detector.surveys === true)
  const most = (name: string) =>
    Math.max(0, ...asking.map(({ reference: { parameters } }) => (typeof parameters[name] === 'number' ? parameters[name] : 0)))
  return asking.length === 0 ? undefined : { phoneLookups: most('phoneLookups'), keptValues: most('keptValues') }
}

interface Material {
  read: CorpusColumns
  columns: ChosenColumns
  compared: readonly ComparedSet[]
  withoutReferences: string | undefined
}

interface DetectorOutcomes {
  /** For each detector, in their order. */
  results: (DetectorResult | DetectorAbstained)[]
  /** Of the embeddings, where there are any. */
  fingerprints: Uint8Array | undefined
}

async function runDetectors(
  jobs: readonly DetectorJob[],
  { read, columns, compared, withoutReferences }: Material,
  options: BuildReportOptions,
): Promise<DetectorOutcomes> {
  let fingerprints: Uint8Array | undefined
  // Whichever of the two halves fails, the other stops.
  const failure = new AbortController()
  const signal = AbortSignal.any([options.signal, failure.signal])
  const progress = createProgress(jobs, options.onProgress)
  const apart = jobs.filter(({ detector }) => detector.needs.embeddings !== true)
  const corpus = createCorpus(read)
  try {
    const [resultsApart, resultsHere] = await Promise.all([
      runOnThread(
        {
          columns: read,
          compared: compared.map(({ cell, columns }) => ({ cell, columns })),
          withoutReferences,
          detectors: apart.map(({ reference }) => reference),
        },
        { signal, onProgress: (number, share) => progress(apart[number]!.detector.id, share) },
      ),
      runOnEmbeddings(),
    ])
    return { results: jobs.map((job) => resultsHere.get(job) ?? resultsApart[apart.indexOf(job)]!), fingerprints }
  } catch (error) {
    failure.abort(error)
    throw error
  }

  async function runOnEmbeddings(): Promise<Map<DetectorJob, DetectorResult | DetectorAbstained>> {
    const results = new Map<DetectorJob, DetectorResult | DetectorAbstained>()
    const waiting = jobs.filter((job) => !apart.includes(job))
    if (waiting.length === 0) return results
    const layers = needsLayers(waiting.map(({ detector }) => detector))
    const onProgress = (share: number) => progress('embedding', share)
    const embedded =
      columns.text === null && columns.image !== null
        ? await embedImages(corpus, columns.image, options, { signal, onProgress })
        : await embed(corpus, options, { layers, signal, onProgress })
    await using embeddings = typeof embedded === 'string' ? undefined : embedded
    if (embeddings !== undefined && embeddings.vectors.dimensions >= FINGERPRINT_COMPONENTS) fingerprints = await fingerprintsOf(embeddings)
    await using owner = new AsyncDisposableStack()
    const sourceOf = (index: CID) => (embeddings === undefined ? undefined : (options.comparedEmbedder?.(index) ?? options.embedder))
    const sets = await embedCompared(compared, { sourceOf, layers, signal, owner })
    const toleranceMillionths = similarityToleranceMillionths(options.recipe.document)
    for (const job of waiting)
      results.set(
        job,
        await runDetector(job, corpus, {
          ...sets,
          withoutReferences,
          embeddings,
          toleranceMillionths,
          withoutEmbeddings: typeof embedded === 'string' ? embedded : undefined,
          signal,
          onProgress: (share) => progress(job.detector.id, share),
        }),
      )
    return results
  }
}

/** The embeddings of a corpus, or why there are none. Throws `unavailable` where the recipe's model cannot be had here. */
async function embed(
  corpus: Corpus,
  { recipe, embedder }: BuildReportOptions,
  options: { layers: boolean; signal: AbortSignal; onProgress: (share: number) => void },
): Promise<Embeddings | string> {
  const model = recipe.document.models.find(({ role }) => role === 'text-embedding')
  if (model === undefined) return 'The recipe names no embedding model.'
  let hasText = false
  for (let sample = 0; sample < corpus.count && !hasText; sample++) hasText = corpus.text(sample) !== null
  if (!hasText) return 'No sample has a text.'
  if (embedder === undefined || !sameModel(embedder.reference, model))
    throw new Problem('unavailable', `this verifier does not run the recipe's embedding model ${model.name}`)
  return embedder.embed(corpus, options)
}

/** The same for the images of a corpus without texts. */
async function embedImages(
  { count, images }: Corpus,
  column: string,
  { recipe, imageEmbedder, blocks, index }: BuildReportOptions,
  options: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<Embeddings | string> {
  const model = recipe.document.models.find(({ role }) => role === 'image-embedding')
  if (model === undefined) return 'The recipe names no embedding model of images.'
  if (images === undefined || images.countOf('read') === 0) return 'No sample has an image that can be read.'
  if (imageEmbedder === undefined || !sameModel(imageEmbedder.reference, model))
    throw new Problem('unavailable', `this verifier does not run the recipe's embedding model ${model.name}`)
  return imageEmbedder.embed({ count, read: () => readImages(openSamples(blocks, index.document), index.document.schema, column) }, options)
}

function sameModel(a: unknown, b: unknown): boolean {
  return Buffer.compare(encodeDagJson(a), encodeDagJson(b)) === 0
}

/** Progress over all detectors and the embedding, in thousandths; the stage is what was heard of last. */
function createProgress(jobs: readonly DetectorJob[], onProgress: (progress: Progress) => void): (part: string, share: number) => void {
  const shares = new Map<string, number>([['embedding', 0], ...jobs.map(({ detector }): [string, number] => [detector.id, 0])])
  return (part, share) => {
    shares.set(part, Math.min(1, share))
    let sum = 0
    for (const done of shares.values()) sum += done
    onProgress({
      stage: part === 'embedding' ? 'embedding texts' : `detecting: ${part}`,
      done: Math.floor((sum * 1000) / shares.size),
      total: 1000,
    })
  }
}

function ranAs(result: DetectorResult | DetectorAbstained): Omit<DetectorRun, 'id' | 'tier' | 'property'> {
  if (!result.ran) return { ran: false, note: result.note, scoredSamples: 0, flaggedSamples: 0 }
  return {
    ran: true,
    ...(result.note === undefined ? {} : { note: result.note }),
    scoredSamples: ones(result.scores.valid),
    flaggedSamples: ones(result.flagged),
    ...(result.borderline === undefined ? {} : { borderlineSamples: ones(result.borderline) }),
  }
}

function ones(rows: Uint8Array): number {
  let sum = 0
  for (const row of rows) sum += row
  return sum
}

function findingsTable(
  jobs: readonly DetectorJob[],
  results: readonly (DetectorResult | DetectorAbstained)[],
  sampleCount: number,
): Uint8Array {
  const flags = new Uint32Array(sampleCount)
  const scores = new Map<string, Int32Array>()
  const clusters = new Map<string, Int32Array>()
  for (const [i, { detector }] of jobs.entries()) {
    const result = results[i]!
    if (!result.ran) continue
    const mask = detector.flag === undefined ? 0 : flagMask(detector.flag)
    for (let sample = 0; sample < sampleCount; sample++) if (result.flagged[sample]) flags[sample]! |= mask
    if (result.scores.valid.includes(1))
      scores.set(
        detector.id,
        result.scores.values.map((score, sample) => (result.scores.valid[sample] ? score : NO_SCORE)),
      )
    if (result.clusters !== undefined) clusters.set(detector.id, result.clusters)
  }
  return encodeFindings({ flags, scores, clusters })
}
