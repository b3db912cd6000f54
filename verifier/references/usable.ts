/** Whether a data set of the registry will do as human reference texts. */
import type { CID } from '../../core/cid.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { Problem } from '../../core/problem.ts'
import type { Blocks } from '../../store/blocks.ts'
import { loadDocument } from '../../store/documents.ts'
import { readCompared } from '../compared.ts'
import { createCorpus } from '../corpus.ts'
import { LEAST_REFERENCES } from '../synthetic/conformal.ts'
import { LENGTH_CLASSES, lengthClassName, lengthClassOf } from '../synthetic/lengths.ts'
import { countWords } from '../synthetic/windows.ts'

/** With so many the realised rate of false alarms at a setting of 1 % stays within .6 and 1.2 % (DETECTION.md §0.2). */
export const RECOMMENDED_TEXTS = 300
/** All of them are held in memory with their vectors, for every report. */
export const MOST_SAMPLES = 20_000

export interface UsableReference {
  sampleCount: number
  /** Different texts that are long enough to be scored. */
  usableTexts: number
  /** Lengths of which there are too few of them, by name: `180 or more` words. */
  wantingLengths: string[]
  /** Language and domain that its manifest declares; null where it does not. */
  declaredCell: string | null
  /** What the manifest declares of synthetic content. */
  synthetic: Manifest['synthetic']['share']
}

/**
 * Reads a data set that is to be a reference. Throws `invalid-request`, saying why, where it has too few texts, too many samples, or a
 * manifest by which models wrote some of it.
 */
export async function readUsableReference(blocks: Blocks, index: CID, signal: AbortSignal): Promise<UsableReference> {
  const { document } = await loadDocument(blocks, 'index', index)
  const { document: manifest } = await loadDocument(blocks, 'manifest', document.manifest)
  const { sampleCount } = document
  const { language, domain, synthetic } = manifest
  if (synthetic.share === 'some' || synthetic.share === 'all')
    throw new Problem(
      'invalid-request',
      `its manifest declares that ${synthetic.share} of it is synthetic: these are no human reference texts`,
    )
  if (sampleCount > MOST_SAMPLES)
    throw new Problem('invalid-request', `it has ${sampleCount} samples; publish a random part of at most ${MOST_SAMPLES}, which is plenty`)
  const { columns } = await readCompared(blocks, { cell: '', index, sampleCount }, signal)
  const corpus = createCorpus(columns)
  const texts = new Set(Array.from({ length: corpus.count }, (_, sample) => corpus.canonicalText(sample) ?? ''))
  const classes = [...texts].map((text) => lengthClassOf(countWords(text)))
  const usableTexts = classes.filter((lengthClass) => lengthClass >= 0).length
  const textsOf = LENGTH_CLASSES.map((_, i) => classes.filter((lengthClass) => lengthClass === i).length)
  if (!textsOf.some((count) => count >= LEAST_REFERENCES))
    throw new Problem(
      'invalid-request',
      `it has ${usableTexts} different texts that are long enough to be scored (50 words); at least ${LEAST_REFERENCES} of about one length are needed, and ${RECOMMENDED_TEXTS} recommended`,
    )
  const declaredCell = language === undefined || domain === undefined ? null : `${language.toLowerCase()}/${domain}`
  const wantingLengths = textsOf.flatMap((count, i) => (count < LEAST_REFERENCES ? [lengthClassName(i)] : []))
  return { sampleCount, usableTexts, wantingLengths, declaredCell, synthetic: synthetic.share }
}
