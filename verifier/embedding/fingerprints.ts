/** The fingerprints of a corpus: what a report commits to, so that any row of it can be checked by computing that row alone. */
import { FINGERPRINT_BYTES, writeFingerprint } from '../../core/fingerprint.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { vectorBlocks } from '../vectors.ts'

/** 12 bytes a sample, one after the other; zeros where the sample was not embedded. */
export async function fingerprintsOf({ vectors, valid }: Pick<Embeddings, 'vectors' | 'valid'>): Promise<Uint8Array> {
  const { dimensions } = vectors
  const fingerprints = new Uint8Array(valid.length * FINGERPRINT_BYTES)
  for await (const { first, count, values } of vectorBlocks(vectors))
    for (let i = 0; i < count; i++)
      if (valid[first + i])
        writeFingerprint(values.subarray(i * dimensions, (i + 1) * dimensions), fingerprints, (first + i) * FINGERPRINT_BYTES)
  return fingerprints
}
