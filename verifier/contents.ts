/** What a sample is, be it a text or an image: for detectors that read embeddings, which are of the one or the other. */
import { type Corpus, excerpt } from './detectors/detector.ts'

/** What evidence shows of a sample. */
export function excerptOf(corpus: Corpus, sample: number): string {
  const text = corpus.text(sample)
  if (text !== null) return excerpt(text)
  if (corpus.images?.state(sample) !== 'read') return ''
  const { width, height } = corpus.images.size(sample)
  return `image of ${width} × ${height} pixels`
}

/** 32 bits (FNV-1a) that equal texts share, or images that look the same. */
export function contentHash(corpus: Corpus, sample: number): number {
  const text = corpus.canonicalText(sample)
  let hash = 0x811c9dc5
  if (text === null && corpus.images?.state(sample) === 'read')
    for (const byte of corpus.images.record(sample)) hash = Math.imul(hash ^ byte, 0x01000193)
  else for (let i = 0; i < (text ?? '').length; i++) hash = Math.imul(hash ^ text!.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
