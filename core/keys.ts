/**
 * Ed25519 keys (RFC 8032) and their names: `did:key` is the multicodec prefix 0xed01 and the public key in base58btc
 * (https://w3c-ccg.github.io/did-key-spec/, §3.1.2).
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58btc } from 'multiformats/bases/base58'
import { concatBytes } from './bytes.ts'
import { Did } from './documents/common.ts'
import { Problem } from './problem.ts'

const DID_KEY = 'did:key:'
const ED25519_PUBLIC_KEY = Uint8Array.of(0xed, 0x01)

export const PUBLIC_KEY_LENGTH = 32
export const SIGNATURE_LENGTH = 64

/** Whoever can sign under a name. */
export interface Signer {
  /** `did:key` of the public key. */
  readonly did: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The 64-byte Ed25519 signature of the bytes. */
  sign(bytes: Uint8Array): Uint8Array
}

/** The signer of a 32-byte seed, the private key of RFC 8032. The seed is copied. */
export function signerFromSeed(seed: Uint8Array): Signer {
  const secretKey = Uint8Array.from(seed)
  const publicKey = ed25519.getPublicKey(secretKey)
  return { did: didOf(publicKey), publicKey, sign: (bytes) => ed25519.sign(bytes, secretKey) }
}

/** The `did:key` of a 32-byte public key. */
export function didOf(publicKey: Uint8Array): string {
  return DID_KEY + base58btc.encode(concatBytes(ED25519_PUBLIC_KEY, publicKey))
}

/** The 32-byte public key in a `did:key`. Throws `invalid-request` for anything but the canonical form of an Ed25519 key. */
export function publicKeyOf(did: string): Uint8Array {
  if (Did.safeParse(did).success) {
    const bytes = base58btc.decode(did.slice(DID_KEY.length))
    const publicKey = bytes.subarray(ED25519_PUBLIC_KEY.length)
    if (publicKey.length === PUBLIC_KEY_LENGTH && didOf(publicKey) === did) return publicKey
  }
  throw new Problem('invalid-request', 'expected a did:key with an Ed25519 public key (did:key:z6Mk…)')
}

/** Strict verification after RFC 8032 §5.1.7: canonical encodings only, no keys of small order. Never throws. */
export function verifySignature(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_LENGTH || signature.length !== SIGNATURE_LENGTH) return false
  return ed25519.verify(signature, bytes, publicKey, { zip215: false })
}
