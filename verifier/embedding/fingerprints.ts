/** The fingerprints of a corpus: what a report commits to, so that any row of it can be checked by computing that row alone. */
import { FINGERPRINT_BYTES, writeFingerprint } from '../../core/fingerprint.ts'
import type { Embeddings } from '../detectors/detector.ts'

/** 12 bytes a sample, one after the other; zeros where the sample was not embedded. */
export function fingerprintsOf({ dimensions, vectors, valid }: Pick<Embeddings, 'dimensions' | 'vectors' | 'valid'>): Uint8Array {
  const fingerprints = new Uint8Array(valid.length * FINGERPRINT_BYTES)
  for (let sample = 0; sample < valid.length; sample++)
    if (valid[sample])
      writeFingerprint(vectors.subarray(sample * dimensions, (sample + 1) * dimensions), fingerprints, sample * FINGERPRINT_BYTES)
  return fingerprints
}
