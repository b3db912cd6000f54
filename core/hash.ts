/**
 * SHA-256, the only hash of Assay's documents, trees and log. `@noble/hashes` runs everywhere; callers on a hot path hand in
 * their platform's native implementation, which must give the same bytes.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** Bytes of any length to a 32-byte SHA-256 digest. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

export const DIGEST_LENGTH = 32

export const sha256: Sha256 = nobleSha256
