/** Documents and files from a registry, each byte of them checked against its CID. */
import { readArtifact } from '../../core/audit/artifact.ts'
import { verifiedBlocks } from '../../core/audit/source.ts'
import { type CID, blockMatches, isCid, parseCid } from '../../core/cid.ts'
import { type DocumentKind, type DocumentOf, type Encoded, parseDocument } from '../../core/documents/document.ts'
import { Problem } from '../../core/problem.ts'
import type { GetBlock } from '../../core/unixfs/node.ts'
import { nativeSha256 } from '../nativeHash.ts'
import type { Registry, Version } from './registry.ts'

/** A document with this CID. Throws `cid-mismatch` for other bytes and `invalid-document` for another kind. */
export async function loadDocument<K extends DocumentKind>(registry: Registry, kind: K, cid: CID): Promise<Encoded<DocumentOf<K>>> {
  const bytes = await registry.document(cid)
  if (!blockMatches(cid, bytes, nativeSha256))
    throw new Problem('cid-mismatch', `${registry.server.origin} gave other bytes as ${cid.toString()}; do not use it`)
  return parseDocument(kind, bytes, nativeSha256)
}

/** Blocks of a registry that have been hashed. */
export function registryBlocks(registry: Registry): GetBlock {
  return verifiedBlocks((cid) => registry.block(cid), nativeSha256)
}

/** A whole UnixFS file of at most `maxBytes`. */
export function loadFile(registry: Registry, cid: CID, maxBytes: number): Promise<Uint8Array> {
  return readArtifact(registryBlocks(registry), cid, maxBytes)
}

/** The index of a version. Throws `not-ready` while there is none, with the reason where it failed. */
export function indexOf(version: Version): CID {
  if (version.index != null) return version.index
  const why =
    version.state === 'failed' ? `it failed: ${version.failure ?? 'no reason given'}` : `it is ${version.state}; try again in a moment`
  throw new Problem('not-ready', `${version.dataset}@${version.number} has no index: ${why}`)
}

/** The newest report of a version. Throws `not-ready` while there is none. */
export function newestReportOf(version: Version): CID {
  const newest = version.reports.at(-1)
  if (newest !== undefined) return newest.report
  indexOf(version)
  throw new Problem('not-ready', `${version.dataset}@${version.number} has no report yet: it is ${version.state}; try again in a moment`)
}

/** The report that a person means: its own CID, or the newest of a version. */
export async function resolveReport(registry: Registry, ref: string): Promise<CID> {
  try {
    return newestReportOf(await registry.version(ref))
  } catch (error) {
    if (isCid(ref) && error instanceof Problem && error.code === 'not-found') return parseCid(ref)
    throw error
  }
}
