/** A registry's routes without any help: one request each, no retries. */
import { utf8ToBytes, bytesToBase64 } from '../../core/bytes.ts'
import type { CID } from '../../core/cid.ts'
import { type Encoded, encodeDocument } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { sealEnvelope } from '../../core/dsse.ts'
import type { Signer } from '../../core/keys.ts'
import { attest } from '../../core/statement.ts'
import { buildDirectory } from '../../core/unixfs/directory.ts'
import type { TestFile } from '../api/registry.ts'

export interface Client {
  /** PUTs a file. Rejects when the connection breaks. */
  upload(cid: CID, bytes: Uint8Array, signal?: AbortSignal): Promise<Response>
  /** POSTs a signed document. */
  announce(path: string, signed: SignedDocument): Promise<Response>
}

/** As routes take it, in base64. */
export interface SignedDocument {
  document: string
  envelope: string
}

/** Asks for a token that lets this key publish and record runs. Rejects unless it gets one. */
export async function connect(server: string, signer: Signer): Promise<Client> {
  const request = { audience: server, issuedAt: new Date().toISOString(), scopes: ['publish', 'run'] }
  const envelope = sealEnvelope('application/vnd.assay.token-request+json', utf8ToBytes(JSON.stringify(request)), [signer])
  const response = await fetch(`${server}/v1/tokens`, { method: 'POST', body: Uint8Array.from(envelope) })
  if (response.status !== 201) throw new Error(await response.text())
  const { token } = (await response.json()) as { token: string }
  const authorization = `Bearer ${token}`
  return {
    upload: (cid, bytes, signal) =>
      fetch(`${server}/v1/files/${cid.toString()}`, {
        method: 'PUT',
        headers: { authorization },
        body: Uint8Array.from(bytes),
        ...(signal === undefined ? {} : { signal }),
      }),
    announce: (path, signed) =>
      fetch(`${server}${path}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(signed),
      }),
  }
}

/** The body that announces a document with its author's signature. */
export function signed(kind: 'manifest' | 'run', { cid, bytes }: Encoded<unknown>, signer: Signer): SignedDocument {
  const envelope = attest({ kind, cid, bytes }, { signer, createdAt: new Date().toISOString() })
  return { document: bytesToBase64(bytes), envelope: bytesToBase64(envelope) }
}

/** A manifest of these files, which are sorted by path. */
export function manifestOf(author: Signer, name: string, files: readonly TestFile[], fields: Partial<Manifest> = {}): Encoded<Manifest> {
  const objects = files.map(({ path, cid, bytes, sha256 }) => ({ path, cid, sizeBytes: bytes.length, sha256 }))
  return encodeDocument('manifest', {
    kind: 'manifest',
    version: 1,
    name,
    author: author.did,
    createdAt: new Date().toISOString(),
    root: buildDirectory(objects),
    sizeBytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    files: objects,
    license: 'CC0-1.0',
    sources: [],
    synthetic: { share: 'none', generators: [] },
    ...fields,
  })
}
