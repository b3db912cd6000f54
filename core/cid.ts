/**
 * CIDs of the three kinds of block that Assay writes: DAG-JSON documents, DAG-PB UnixFS nodes and raw bytes, always CIDv1
 * with sha2-256 (multiformats/cid, multicodec table).
 */
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { type Sha256, sha256 } from './hash.ts'
import { Problem } from './problem.ts'

export { CID }

export const CODEC_RAW = 0x55
export const CODEC_DAG_PB = 0x70
export const CODEC_DAG_JSON = 0x0129
const MULTIHASH_SHA2_256 = 0x12

/** The CIDv1 of a block. */
export function cidOf(codec: number, bytes: Uint8Array, hash: Sha256 = sha256): CID {
  return CID.createV1(codec, Digest.create(MULTIHASH_SHA2_256, hash(bytes)))
}

/** The CIDv1 that has this sha2-256 digest. */
export function cidFromDigest(codec: number, digest: Uint8Array): CID {
  return CID.createV1(codec, Digest.create(MULTIHASH_SHA2_256, digest))
}

/** The 32-byte SHA-256 in a CID. Throws `invalid-request` when the CID uses another hash. */
export function digestOf(cid: CID): Uint8Array {
  if (cid.multihash.code !== MULTIHASH_SHA2_256) throw new Problem('invalid-request', `${cid.toString()} is not a sha2-256 CID`)
  return cid.multihash.digest
}

/** Parses a CIDv1 with sha2-256 as given by a person or a peer. Throws `invalid-request` otherwise. */
export function parseCid(text: string): CID {
  if (text.length > 128) throw new Problem('invalid-request', 'a CID is at most 128 characters long')
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new Problem('invalid-request', `"${text}" is not a CID`, { cause })
  }
  if (cid.version !== 1) throw new Problem('invalid-request', `"${text}" is a CIDv0; give its CIDv1 form`)
  digestOf(cid)
  return cid
}

/** Whether a string can be parsed as a CID, to tell a CID from a data set's name. */
export function isCid(text: string): boolean {
  try {
    parseCid(text)
    return true
  } catch {
    return false
  }
}

/** True if the block's bytes have the CID's digest. */
export function blockMatches(cid: CID, bytes: Uint8Array, hash: Sha256 = sha256): boolean {
  const expected = digestOf(cid)
  const actual = hash(bytes)
  for (let i = 0; i < expected.length; i++) if (expected[i] !== actual[i]) return false
  return true
}
