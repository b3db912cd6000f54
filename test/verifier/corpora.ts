/** Corpora for tests of single detectors. */
import { createHash } from 'node:crypto'
import { createCorpus } from '../../verifier/corpus.ts'
import type { Corpus, Detector, DetectorResult } from '../../verifier/detectors/detector.ts'

export function corpusOf(rows: readonly { text?: string | null; label?: string | null }[]): Corpus {
  const digests = new Uint8Array(rows.length * 32)
  for (const [i, row] of rows.entries()) digests.set(createHash('sha256').update(JSON.stringify(row)).digest(), i * 32)
  return createCorpus({
    texts: rows.map(({ text }) => text ?? null),
    labels: rows.map(({ label }) => label ?? null),
    digests,
    language: null,
    domain: null,
    seed: createHash('sha256').update('seed').digest(),
  })
}

/** Runs a detector that is expected to run, at its defaults. */
export async function detect(detector: Detector, corpus: Corpus): Promise<DetectorResult> {
  const signal = new AbortController().signal
  const result = await detector.run({ corpus, parameters: detector.parameters, signal, onProgress: () => {} })
  if (!result.ran) throw new Error(`${detector.id} did not run: ${result.note}`)
  return result
}

/** Numbers of the samples that are 1. */
export function numbersIn(flagged: Uint8Array): number[] {
  return [...flagged.keys()].filter((sample) => flagged[sample] === 1)
}
