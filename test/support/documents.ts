/** Small signed documents for tests. */
import { type CID, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { utf8ToBytes } from '../../core/bytes.ts'
import { type DocumentOf, type Encoded, encodeDocument } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import type { Report } from '../../core/documents/report.ts'
import { PROPERTIES } from '../../core/documents/report.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { treeOf } from '../../core/log/entry.ts'
import { type Signer, signerFromSeed } from '../../core/keys.ts'
import { attest, type SignedKind, verifyAttestation } from '../../core/statement.ts'
import type { Attestation } from '../../store/documents.ts'

/** The signer whose seed is 32 times this byte. */
export function testSigner(byte: number): Signer {
  return signerFromSeed(new Uint8Array(32).fill(byte))
}

/** The raw CID of a text. */
export function textCid(text: string): CID {
  return cidOf(CODEC_RAW, utf8ToBytes(text))
}

const CREATED_AT = '2026-11-20T06:00:00.000Z'

/** A manifest of one made-up file. */
export function testManifest(fields: Partial<Manifest> & Pick<Manifest, 'name' | 'author'>): Encoded<Manifest> {
  return encodeDocument('manifest', {
    kind: 'manifest',
    version: 1,
    createdAt: CREATED_AT,
    files: [{ path: 'data.jsonl', cid: textCid('data'), sizeBytes: 4, sha256: 'ab'.repeat(32) }],
    root: textCid('root'),
    sizeBytes: 4,
    license: 'CC0-1.0',
    sources: [],
    synthetic: { share: 'unknown', generators: [] },
    ...fields,
  })
}

/** An index of one made-up sample. */
export function testIndex(manifest: CID): Encoded<SampleIndex> {
  return encodeDocument('index', {
    kind: 'index',
    version: 1,
    manifest,
    schema: [{ name: 'text', type: { type: 'utf8' } }],
    sampleCount: 1,
    files: [{ path: 'data.jsonl', firstSample: 0, sampleCount: 1 }],
    skippedFiles: [],
    shards: [{ cid: textCid('shard'), firstSample: 0, sampleCount: 1, sizeBytes: 5 }],
    tree: { rootHash: '00'.repeat(32), levels: [textCid('level')] },
    digestTable: textCid('table'),
    statistics: [],
  })
}

/** A report that says CLEAR of everything. */
export function testReport(index: CID, recipe: CID): Encoded<Report> {
  return encodeDocument('report', {
    kind: 'report',
    version: 1,
    index,
    recipe,
    sampleCount: 1,
    verdict: 'CLEAR',
    properties: PROPERTIES.map((property) => ({
      property,
      state: 'CLEAR',
      reasons: [],
      flaggedSamples: 0,
      lowerBoundMillionths: 0,
      coverageMillionths: 1_000_000,
      power: [],
    })),
    detectors: [{ id: 'none', tier: 'T0', ran: true, scoredSamples: 1, flaggedSamples: 0 }],
    findings: textCid('findings'),
    evidence: textCid('evidence'),
    columns: { guessed: false },
    notCovered: [],
  })
}

/** The attestation of a document by this signer, as `store/` takes it. */
export function attestationBy<K extends SignedKind>(signer: Signer, kind: K, encoded: Encoded<DocumentOf<K>>): Attestation {
  const bytes = attest({ kind, cid: encoded.cid, bytes: encoded.bytes }, { signer, createdAt: CREATED_AT })
  const { envelopeCid, author, createdAt } = verifyAttestation(bytes, { kind, cid: encoded.cid })
  return { kind, document: encoded.cid, envelope: envelopeCid, author, createdAt: new Date(createdAt), ...treeOf(encoded.document) }
}
