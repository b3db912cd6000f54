/**
 * Re-verification: a signed report is computed again, here, from the same samples under the same recipe, and compared; or, where that is
 * too much, the embeddings of some samples are, chosen by randomness that whoever signed could not know (core/rowSample.ts).
 */
import { digestOf } from '../../core/cid.ts'
import { encodeDocument, type Encoded } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import type { Recipe } from '../../core/documents/recipe.ts'
import type { Report } from '../../core/documents/report.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { FINGERPRINT_BYTES, FINGERPRINT_COMPONENTS } from '../../core/fingerprint.ts'
import { decodeFindings } from '../../core/findingsTable.ts'
import { Problem } from '../../core/problem.ts'
import { rowReader } from '../../core/samples/arrow.ts'
import { missProbability, sampleRows } from '../../core/rowSample.ts'
import type { Blocks } from '../../store/blocks.ts'
import { loadDocument } from '../../store/documents.ts'
import type { Progress } from '../../store/jobs.ts'
import { openSamples } from '../../store/samples.ts'
import { buildReport } from '../buildReport.ts'
import { bytesOf, textOf } from '../columns.ts'
import { detectorsOf } from '../detectorRun.ts'
import type { DetectorAbstained, DetectorResult, Embeddings } from '../detectors/detector.ts'
import { asStored, type Embedder } from '../embedding/embedder.ts'
import type { ImageEmbedder } from '../embedding/imageEmbedder.ts'
import { similarityToleranceMillionths } from '../numerics/tolerance.ts'
import { DETECTORS } from '../recipe.ts'
import { type Check, compareFingerprints, compareReports, type ReportTables } from './agreement.ts'

/** A report with everything that it was made from. */
export interface Subject {
  report: Encoded<Report>
  index: Encoded<SampleIndex>
  manifest: Manifest
  recipe: Encoded<Recipe>
}

export interface Reverification {
  checks: Check[]
  /** Of the report that was computed here; it is the same where all is the same to the bit. */
  ownReport?: Report
}

/** Columns of 32-bit integers, and what Arrow puts around them. */
const MAX_FINDINGS_BYTES_A_SAMPLE = 512
const OVERHEAD_BYTES = 1024 * 1024

/** Reads what a report was made from. Throws `block-missing` where a part cannot be had. */
export async function loadSubject(blocks: Blocks, report: Encoded<Report>): Promise<Subject> {
  const index = await loadDocument(blocks, 'index', report.document.index)
  const { document: manifest } = await loadDocument(blocks, 'manifest', index.document.manifest)
  return { report, index, manifest, recipe: await loadDocument(blocks, 'recipe', report.document.recipe) }
}

export interface ReverifyOptions {
  blocks: Blocks
  /** For the recipe's model, on any device; not needed where the recipe names none. */
  embedder?: Embedder | undefined
  /** The same for the recipe's model of images. */
  imageEmbedder?: ImageEmbedder | undefined
  signal: AbortSignal
  onProgress: (progress: Progress) => void
}

/** Computes a whole report again and says, check by check, which samples do not agree. */
export async function reverifyReport(subject: Subject, options: ReverifyOptions): Promise<Reverification> {
  const { report, index, recipe } = subject
  const { blocks } = options
  let results: ReadonlyMap<string, DetectorResult | DetectorAbstained> = new Map()
  let embeddings: Embeddings | undefined
  const source = options.embedder && asStored(options.embedder)
  const embedder = source && {
    reference: source.reference,
    embed: async (...words: Parameters<typeof source.embed>) => (embeddings = await source.embed(...words)),
  }
  const { imageEmbedder: images } = options
  const imageEmbedder = images && {
    reference: images.reference,
    embed: async (...words: Parameters<typeof images.embed>) => (embeddings = await images.embed(...words)),
  }
  const ownReport = await buildReport({
    ...options,
    ...subject,
    embedder,
    imageEmbedder,
    comparedEmbedder: source && (() => source),
    onResults: (all) => (results = all),
  })
  const { cid } = encodeDocument('report', ownReport, blocks.hash)
  const same: Check = {
    name: 'report document',
    passed: true,
    detail: cid.equals(report.cid) ? 'the same to the byte' : `another document, ${cid.toString()}: its samples are compared one by one`,
    samples: [],
  }
  const detectors = detectorsOf(recipe.document.detectors, DETECTORS).map(({ detector: { flag }, reference }) => {
    const result = results.get(reference.id)
    return { reference, flag, borderline: result?.ran === true ? result.borderline : undefined }
  })
  const { sampleCount } = index.document
  const [claimed, own] = await Promise.all([readTables(blocks, report.document), readTables(blocks, ownReport)])
  const checks = [same, ...compareReports(claimed, own, detectors, similarityToleranceMillionths(recipe.document))]
  const fingerprints = await readFingerprints(blocks, report.document)
  if (fingerprints !== undefined && embeddings !== undefined) {
    const samples = Array.from({ length: sampleCount }, (_, sample) => sample)
    checks.push(await compareFingerprints(fingerprints, { ...embeddings, samples }, leastComponents(recipe.document)))
  }
  return { checks, ownReport }
}

/**
 * Embeds `count` samples that the beacon chooses and compares their fingerprints with those that the report commits to. Throws
 * `unsupported-format` where the report has none.
 */
export async function auditEmbeddings(
  { report, index, recipe }: Subject,
  { beacon, count, blocks, embedder, imageEmbedder, signal, onProgress }: ReverifyOptions & { beacon: Uint8Array; count: number },
): Promise<Reverification> {
  const claimed = await readFingerprints(blocks, report.document)
  const { text, image } = report.document.columns
  const column = text ?? image
  if (claimed === undefined || column === undefined || (text === undefined ? imageEmbedder : embedder) === undefined)
    throw new Problem('unsupported-format', 'this report has no embeddings; without --rows all of it is computed again')
  const samples = sampleRows({ beacon, root: digestOf(report.cid), rowCount: index.document.sampleCount, count }, blocks.hash)
  const rows = await openSamples(blocks, index.document).take(samples)
  const rowAt = rowReader(
    index.document.schema.filter(({ name }) => name === column),
    rows,
  )
  const values = samples.map((_, i) => rowAt(i)[column])
  const embedding = {
    signal,
    onProgress: (share: number) => onProgress({ stage: 'embedding', done: Math.floor(share * values.length), total: values.length }),
  }
  await using embeddings =
    text === undefined
      ? await imageEmbedder!.embed({ count: values.length, read: () => values.map(bytesOf) }, embedding)
      : await asStored(embedder!).embed({ count: values.length, text: (i) => textOf(values[i]) }, embedding)
  const check = await compareFingerprints(claimed, { ...embeddings, samples }, leastComponents(recipe.document))
  const missed = missProbability(0.01, samples.length)
  const chance = `had 1 % of the samples been made up, this would have missed it with probability ${missed.toPrecision(2)}`
  return { checks: [{ ...check, detail: `${check.detail}; ${chance}` }] }
}

async function readTables(blocks: Blocks, report: Report): Promise<ReportTables> {
  const bytes = await blocks.readAll(report.findings, report.sampleCount * MAX_FINDINGS_BYTES_A_SAMPLE + OVERHEAD_BYTES)
  return { report, table: decodeFindings(bytes, report.sampleCount) }
}

/** Throws `invalid-file` where they are not 12 bytes for each sample. */
async function readFingerprints(blocks: Blocks, { fingerprints, sampleCount }: Report): Promise<Uint8Array | undefined> {
  if (fingerprints === undefined) return undefined
  const bytes = await blocks.readAll(fingerprints, sampleCount * FINGERPRINT_BYTES)
  if (bytes.length !== sampleCount * FINGERPRINT_BYTES)
    throw new Problem('invalid-file', `the fingerprints of ${sampleCount} samples have ${bytes.length} bytes`)
  return bytes
}

/** Shared components that the recipe asks for, among all devices that it knows; all where it knows none. */
function leastComponents({ models, tolerances = [] }: Recipe): number {
  const known = tolerances.filter(({ model }) => models.some((one) => one.model.equals(model)))
  return Math.min(FINGERPRINT_COMPONENTS, ...known.map(({ fingerprintComponents }) => fingerprintComponents))
}
