/** Whether a data set of the registry will do as human reference texts. */
import type { CID } from '../../core/cid.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { Problem } from '../../core/problem.ts'
import type { Blocks } from '../../store/blocks.ts'
import { loadDocument } from '../../store/documents.ts'
import { readCompared } from '../compared.ts'
import { windows } from '../synthetic/windows.ts'
import { canonicalText } from '../text/canonical.ts'

/** With fewer texts no p-value reaches 1 %. */
export const LEAST_TEXTS = 99
/** With so many the realised rate of false alarms at a setting of 1 % stays within .6 and 1.2 % (DETECTION.md §0.2). */
export const RECOMMENDED_TEXTS = 300
/** All of them are held in memory with their vectors, for every report. */
export const MOST_SAMPLES = 20_000

export interface UsableReference {
  sampleCount: number
  /** Different texts that are long enough to be scored. */
  usableTexts: number
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
  const texts = new Set(columns.texts.flatMap((text) => (text === null ? [] : [canonicalText(text)])))
  const usableTexts = [...texts].filter((text) => windows(text).length > 0).length
  if (usableTexts < LEAST_TEXTS)
    throw new Problem(
      'invalid-request',
      `it has ${usableTexts} different texts that are long enough to be scored (50 words); at least ${LEAST_TEXTS} are needed, and ${RECOMMENDED_TEXTS} recommended`,
    )
  const declaredCell = language === undefined || domain === undefined ? null : `${language.toLowerCase()}/${domain}`
  return { sampleCount, usableTexts, declaredCell, synthetic: synthetic.share }
}
