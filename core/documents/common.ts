/** Pieces that several documents share. Every document is canonical DAG-JSON (https://ipld.io/specs/codecs/dag-json/spec/). */
import { z } from 'zod'
import { CID } from '../cid.ts'

/** A link to another block: a CID object in memory, `{"/": "bafy…"}` in DAG-JSON. */
export const Link = z
  .custom<CID>((value) => CID.asCID(value) !== null, 'expected a CID link')
  .meta({ override: { type: 'object', properties: { '/': { type: 'string' } }, required: ['/'] } })

/** An Ed25519 public key as `did:key:z6Mk…` (https://w3c-ccg.github.io/did-key-spec/). */
export const Did = z
  .string()
  .max(128)
  .regex(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/, 'expected a did:key with an Ed25519 public key')

/** `namespace/name`: each part starts with a letter or digit and has letters, digits, `.`, `_`, `-`, at most 96 characters. */
export const DatasetName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,95}\/[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,95}$/u,
    'expected namespace/name, each of letters, digits, ".", "_" and "-"',
  )
  .refine((name) => name === name.normalize('NFC'), 'expected Unicode in NFC')
  .refine((name) => !name.includes('..'), 'expected no ".."')

export const Timestamp = z.iso.datetime({ precision: 3, offset: false })

export const Hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits')

export const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A path inside a data set: relative, `/` between parts, no empty, `.` or `..` part, no control character, NFC. */
export const FilePath = z
  .string()
  .min(1)
  .max(1024)
  // oxlint-disable-next-line no-control-regex -- they are exactly what no path may have
  .refine((path) => !/[\u0000-\u001f\u007f\\]/.test(path), 'expected no control character and no backslash')
  .refine((path) => path === path.normalize('NFC'), 'expected Unicode in NFC')
  .refine(
    (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'expected a relative path without "." or ".."',
  )
