/** Rows of an evaluation file as detectors see them. */
import { createHash } from 'node:crypto'
import { createCorpus } from '../corpus.ts'
import type { Corpus } from '../detectors/detector.ts'
import type { EvalImage, EvalRow } from './evalRow.ts'

/** A corpus with what detectors of pairs and of images read besides. */
export interface EvalCorpus extends Corpus {
  /** What answers the text; null where there is none. */
  response(sample: number): string | null
  image(sample: number): EvalImage | null
}

export type CorpusRow = Pick<EvalRow, 'text' | 'label'> & Partial<Pick<EvalRow, 'response' | 'image' | 'language' | 'domain'>>

/**
 * A corpus over rows. Digests are those of texts, labels, responses and images alone, so that nothing that only the bench knows
 * (`poisoned`, `generator`) can reach a detector; the seed is the digest of all digests. Language and domain are those that all rows share.
 */
export function corpusOfRows(rows: readonly CorpusRow[]): EvalCorpus {
  const digests = new Uint8Array(rows.length * 32)
  for (const [i, { text, label, response = null, image = null }] of rows.entries()) {
    const hash = createHash('sha256').update(JSON.stringify([text, label, response]))
    digests.set(image === null ? hash.digest() : hash.update(image.bytes).digest(), i * 32)
  }
  const corpus = createCorpus({
    texts: rows.map(({ text }) => text),
    labels: rows.map(({ label }) => label),
    digests,
    language: shared(rows.map(({ language }) => language ?? null)),
    domain: shared(rows.map(({ domain }) => domain ?? null)),
    seed: createHash('sha256').update(digests).digest(),
  })
  return { ...corpus, response: (sample) => rows[sample]?.response ?? null, image: (sample) => rows[sample]?.image ?? null }
}

function shared(values: readonly (string | null)[]): string | null {
  return values.every((value) => value === values[0]) ? (values[0] ?? null) : null
}
