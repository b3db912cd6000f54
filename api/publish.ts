/**
 * Accepting a version: everything that a manifest says is checked against what is here before anything is written. The order of writes:
 * directory nodes → pins of document, envelope and directory → rows. A version that can be seen is whole.
 */
import type { Encoded } from '../core/documents/document.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import { Problem } from '../core/problem.ts'
import { verifyDocument } from '../core/statement.ts'
import { buildDirectory } from '../core/unixfs/directory.ts'
import { putDocument, putEnvelope } from '../store/documents.ts'
import { findFiles } from '../store/files.ts'
import { type VersionRow, createVersion, listVersions, namespaceOwner } from '../store/versions.ts'
import type { ApiContext } from './context.ts'

const LISTED_FILES = 5

export interface PublishRequest {
  /** The name in the request's path. */
  dataset: string
  /** did:key of the token's holder. */
  account: string
  documentBytes: Uint8Array
  envelopeBytes: Uint8Array
}

/**
 * Verifies a manifest and makes the version that it describes; publishing the same one again gives the version that it made.
 * Throws `invalid-document`, `invalid-signature`, `untrusted`, `invalid-request` (another name), `forbidden` (another's signature or
 * namespace), `not-ready` (files that were not uploaded) and `conflict` (not the successor of the newest version).
 */
export async function publishVersion(ctx: ApiContext, request: PublishRequest): Promise<{ version: VersionRow; created: boolean }> {
  const { encoded, author, createdAt, envelopeCid } = verifyDocument('manifest', request.documentBytes, request.envelopeBytes)
  const manifest = encoded.document
  if (author !== request.account)
    throw new Problem('forbidden', `the manifest is signed by ${author}, but the token belongs to ${request.account}; sign with that key`)
  if (manifest.name !== request.dataset)
    throw new Problem('invalid-request', `the manifest is for ${manifest.name}, not for ${request.dataset}`)
  await checkPlace(ctx, encoded)
  await checkFiles(ctx, manifest)
  checkRoot(manifest)

  await ctx.blocks.importDirectory(manifest.files)
  await putDocument(ctx.blocks, encoded)
  await putEnvelope(ctx.blocks, request.envelopeBytes)
  await ctx.blocks.pin(manifest.root)
  return createVersion(ctx.db, encoded, {
    kind: 'manifest',
    document: encoded.cid,
    envelope: envelopeCid,
    author,
    createdAt: new Date(createdAt),
  })
}

/** `createVersion` holds the law; this look beforehand keeps the blocks of a manifest that it would refuse from being stored. */
async function checkPlace(ctx: ApiContext, { cid, document: manifest }: Encoded<Manifest>): Promise<void> {
  const owner = await namespaceOwner(ctx.db, manifest.name.split('/')[0]!)
  if (owner !== null && owner !== manifest.author)
    throw new Problem('forbidden', `the namespace of ${manifest.name} belongs to ${owner}; publish under one of your own`)
  const versions = await versionsIfAny(ctx, manifest.name)
  const known = versions.some((version) => version.manifest.toString() === cid.toString())
  const head = versions[0]?.manifest.toString()
  if (!known && head !== manifest.previous?.toString())
    throw new Problem(
      'conflict',
      head === undefined
        ? `${manifest.name} has no version yet; leave "previous" out`
        : `the newest version of ${manifest.name} has the manifest ${head}; set "previous" to it`,
    )
}

async function versionsIfAny(ctx: ApiContext, dataset: string): Promise<VersionRow[]> {
  try {
    return await listVersions(ctx.db, dataset)
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return []
    throw error
  }
}

/** Every file must have been taken in whole, with the size and digest that the manifest gives. */
async function checkFiles(ctx: ApiContext, manifest: Manifest): Promise<void> {
  const stored = await findFiles(
    ctx.db,
    manifest.files.map((file) => file.cid),
  )
  const missing = manifest.files.filter((file) => !stored.has(file.cid.toString()))
  if (missing.length > 0) {
    const names = missing.slice(0, LISTED_FILES).map((file) => `${file.path} (${file.cid.toString()})`)
    const more = missing.length > LISTED_FILES ? ` and ${missing.length - LISTED_FILES} more` : ''
    throw new Problem('not-ready', `upload these files first, with PUT /v1/files/{cid}: ${names.join(', ')}${more}`)
  }
  for (const file of manifest.files) {
    const { sizeBytes, sha256 } = stored.get(file.cid.toString())!
    if (sizeBytes !== file.sizeBytes)
      throw new Problem('invalid-document', `${file.path} has ${sizeBytes} bytes; the manifest says ${file.sizeBytes}`)
    if (sha256 !== file.sha256)
      throw new Problem('invalid-document', `${file.path} has the sha256 ${sha256}; the manifest says ${file.sha256}`)
  }
}

/** The root must be the directory of exactly these files. */
function checkRoot(manifest: Manifest): void {
  const root = buildDirectory(manifest.files).toString()
  const claimed = manifest.root.toString()
  if (root !== claimed) throw new Problem('invalid-document', `the directory of these files is ${root}; the manifest says ${claimed}`)
}
