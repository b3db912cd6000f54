/**
 * A run with everything behind it, built by core alone and kept in maps: an AuditSource whose every part a test can alter, either
 * before it is signed (a `Forgery`: the document lies) or on its way to the auditor (a wrapper around `source`).
 */
import { createHash } from 'node:crypto'
import type { AuditSource, LoggedEnvelope } from '../../core/audit/source.ts'
import type { Trust } from '../../core/audit/trust.ts'
import { type Bitmap, bitmapFromBytes } from '../../core/bitmap.ts'
import { bytesToHex, utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_RAW, type CID, cidOf } from '../../core/cid.ts'
import { type DocumentKind, type DocumentOf, type Encoded, encodeDocument } from '../../core/documents/document.ts'
import { PROPERTIES } from '../../core/documents/report.ts'
import { POLICIES } from '../../core/documents/selection.ts'
import { flagMask } from '../../core/findings.ts'
import { encodeFindings } from '../../core/findingsTable.ts'
import { type Signer, signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint } from '../../core/log/checkpoint.ts'
import { logEntryOf } from '../../core/log/entry.ts'
import { formatVerificationKey, signNote } from '../../core/log/note.ts'
import { createTreeBuilder } from '../../core/merkle/builder.ts'
import { type Tile, appendLeaves } from '../../core/merkle/tiles.ts'
import { leafHash } from '../../core/merkle/tree.ts'
import { Problem } from '../../core/problem.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import type { Schema } from '../../core/samples/schema.ts'
import type { Row } from '../../core/samples/value.ts'
import { computeSelection } from '../../core/selection.ts'
import { type SignedKind, attest } from '../../core/statement.ts'
import { buildDirectory } from '../../core/unixfs/directory.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'

export const SAMPLE_COUNT = 300
export const ORIGIN = 'log.example/assay'
const CREATED_AT = '2026-11-20T06:00:00.000Z'
/** Entries of other people before ours, so that the log has more than one tile. */
const EARLIER_ENTRIES = 300

/** What somebody who holds the keys could sign although it is not so. */
export interface Forgery {
  manifest?: (document: DocumentOf<'manifest'>) => DocumentOf<'manifest'>
  report?: (document: DocumentOf<'report'>) => DocumentOf<'report'>
  bitmap?: (bitmap: Bitmap) => void
  selection?: (document: DocumentOf<'selection'>) => DocumentOf<'selection'>
  index?: (document: DocumentOf<'index'>) => DocumentOf<'index'>
  finished?: (document: DocumentOf<'run'>) => DocumentOf<'run'>
  /** The rows whose digests go into the tree, where they are not those that are shown. */
  indexedRows?: (rows: Row[]) => Row[]
  /** Who signs as the log. */
  logSigner?: Signer
  /** Leaves a document out of the log. */
  unlogged?: SignedKind
}

export interface AuditedRun {
  source: AuditSource
  trust: Trust
  run: CID
  /** CIDs by what they are, for tests to alter. */
  cids: Record<'manifest' | 'index' | 'report' | 'selection' | 'started' | 'root' | 'bigFile' | 'findings' | 'bitmap', CID>
  envelopes: Map<string, LoggedEnvelope[]>
  blocks: Map<string, Uint8Array>
  /** The checkpoint as it was before the run, and as it is. */
  checkpoints: { before: Uint8Array; now: Uint8Array }
}

export const SIGNERS = Object.fromEntries(
  ['author', 'indexer', 'verifier', 'trainer', 'log', 'stranger'].map((name, i) => [name, signerFromSeed(new Uint8Array(32).fill(i + 1))]),
) as Record<'author' | 'indexer' | 'verifier' | 'trainer' | 'log' | 'stranger', Signer>

const SCHEMA: Schema = [
  { name: 'id', type: { type: 'int64' } },
  { name: 'text', type: { type: 'utf8' } },
  { name: 'label', type: { type: 'utf8' } },
]

/** Rows of 4 kB, so that their file has two chunks. */
function makeRows(): Row[] {
  return Array.from({ length: SAMPLE_COUNT }, (_, id) => ({ id, text: `message ${id} `.repeat(400), label: id % 3 === 0 ? 'spam' : 'ham' }))
}

export async function auditedRun(forgery: Forgery = {}): Promise<AuditedRun> {
  const blocks = new Map<string, Uint8Array>()
  const documents = new Map<string, Uint8Array>()
  const envelopes = new Map<string, LoggedEnvelope[]>()
  const entries: Uint8Array[] = []

  const keepBlock = (cid: CID, bytes: Uint8Array) => void blocks.set(cid.toString(), bytes.slice())
  const keepFile = (bytes: Uint8Array): CID => {
    const builder = createFileBuilder({ onBlock: keepBlock })
    builder.push(bytes)
    return builder.finish().cid
  }
  const keepDocument = <K extends DocumentKind>(kind: K, document: DocumentOf<K>): Encoded<DocumentOf<K>> => {
    const encoded = encodeDocument(kind, document)
    documents.set(encoded.cid.toString(), encoded.bytes)
    return encoded
  }
  const keepSigned = <K extends SignedKind>(kind: K, document: DocumentOf<K>, signer: Signer): Encoded<DocumentOf<K>> => {
    const encoded = keepDocument(kind, document)
    const envelope = attest({ kind, ...encoded }, { signer, createdAt: CREATED_AT })
    const logged = forgery.unlogged !== kind
    envelopes.set(encoded.cid.toString(), [{ envelope, logIndex: logged ? EARLIER_ENTRIES + entries.length : null }])
    if (logged) entries.push(logEntryOf(kind, encoded, cidOf(CODEC_RAW, envelope)))
    return encoded
  }

  const rows = makeRows()
  const files = [
    { path: 'data/train.jsonl', bytes: utf8ToBytes(rows.map((row) => `${JSON.stringify(row)}\n`).join('')) },
    { path: 'readme.md', bytes: utf8ToBytes('# Messages\n') },
  ].map(({ path, bytes }) => ({
    path,
    cid: keepFile(bytes),
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }))
  const plainManifest: DocumentOf<'manifest'> = {
    kind: 'manifest',
    version: 1,
    name: 'acme/messages',
    author: SIGNERS.author.did,
    createdAt: CREATED_AT,
    root: buildDirectory(files, keepBlock),
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    files,
    license: 'CC0-1.0',
    sources: [],
    synthetic: { share: 'none', generators: [] },
  }
  const manifest = keepSigned('manifest', forgery.manifest?.(plainManifest) ?? plainManifest, SIGNERS.author)

  const digests = (forgery.indexedRows?.(rows) ?? rows).map((row) => sampleDigest(row))
  const levels: Uint8Array[][] = []
  const builder = createTreeBuilder({ onTile: (level, bytes) => void (levels[level] ??= []).push(bytes) })
  for (const digest of digests) builder.push(leafHash(digest))
  const tree = builder.finish()
  const plainIndex: DocumentOf<'index'> = {
    kind: 'index',
    version: 1,
    manifest: manifest.cid,
    schema: SCHEMA,
    sampleCount: SAMPLE_COUNT,
    files: [{ path: 'data/train.jsonl', firstSample: 0, sampleCount: SAMPLE_COUNT }],
    skippedFiles: ['readme.md'],
    shards: [{ cid: keepFile(utf8ToBytes('rows as Arrow')), firstSample: 0, sampleCount: SAMPLE_COUNT, sizeBytes: 13 }],
    tree: { rootHash: bytesToHex(tree.rootHash), levels: levels.map((tiles) => keepFile(Buffer.concat(tiles))) },
    digestTable: keepFile(utf8ToBytes('digests')),
    statistics: [],
  }
  const index = keepSigned('index', forgery.index?.(plainIndex) ?? plainIndex, SIGNERS.indexer)

  const flags = new Uint32Array(SAMPLE_COUNT)
  const scores = new Int32Array(SAMPLE_COUNT)
  for (let i = 0; i < SAMPLE_COUNT; i += 10) {
    flags[i] = flagMask('trigger')
    scores[i] = 1000
  }
  const flaggedSamples = SAMPLE_COUNT / 10
  const findings = keepFile(encodeFindings({ flags, scores: new Map([['trigger', scores]]), clusters: new Map() }))
  const plainReport: DocumentOf<'report'> = {
    kind: 'report',
    version: 1,
    index: index.cid,
    recipe: keepFile(utf8ToBytes('recipe')),
    sampleCount: SAMPLE_COUNT,
    verdict: 'FLAGGED',
    properties: PROPERTIES.map((property) => ({
      property,
      state: property === 'poison' ? 'FLAGGED' : 'INCONCLUSIVE',
      reasons: [],
      flaggedSamples: property === 'poison' ? flaggedSamples : 0,
      lowerBoundMillionths: 0,
      coverageMillionths: 1_000_000,
      power: [],
    })),
    detectors: [{ id: 'trigger', tier: 'T0', ran: true, scoredSamples: SAMPLE_COUNT, flaggedSamples }],
    findings,
    evidence: keepFile(utf8ToBytes('[]')),
    columns: { text: 'text', label: 'label', guessed: true },
    notCovered: [],
  }
  const report = keepSigned('report', forgery.report?.(plainReport) ?? plainReport, SIGNERS.verifier)

  const computed = computeSelection({
    index: index.cid,
    sampleCount: SAMPLE_COUNT,
    reports: [{ cid: report.cid, flags }],
    policy: POLICIES.verified,
  })
  const bitmap = bitmapFromBytes(computed.bitmap.bytes.slice(), SAMPLE_COUNT)
  forgery.bitmap?.(bitmap)
  const bitmapCid = keepFile(bitmap.bytes)
  const plainSelection = { ...computed.selection, bitmap: bitmapCid }
  const selection = keepDocument('selection', forgery.selection?.(plainSelection) ?? plainSelection)

  const plan = { selection: selection.cid, seed: '7', epochs: 2, shards: 2, batchSize: 8 }
  const run = { kind: 'run', version: 1, author: SIGNERS.trainer.did, name: 'demo', createdAt: CREATED_AT } as const
  const started = keepSigned('run', { ...run, status: 'started', consumed: [{ ...plan, steps: null }] }, SIGNERS.trainer)
  const plainFinished: DocumentOf<'run'> = { ...run, status: 'finished', consumed: [{ ...plan, steps: 20 }], previous: started.cid }
  const finished = keepSigned('run', forgery.finished?.(plainFinished) ?? plainFinished, SIGNERS.trainer)

  const log = await buildLog(entries, forgery.logSigner ?? SIGNERS.log)
  const missing = (what: string): never => {
    throw new Problem('not-found', `there is no ${what}`)
  }
  const source: AuditSource = {
    document: async (cid) => documents.get(cid.toString()) ?? missing(cid.toString()),
    envelopes: async (cid) => envelopes.get(cid.toString()) ?? missing(cid.toString()),
    block: async (cid) => blocks.get(cid.toString()) ?? missing(cid.toString()),
    checkpoint: async () => log.now,
    logTile: async (level, index, width) => log.tiles.get(`${level}/${index}/${width}`) ?? missing(`tile ${level}/${index}/${width}`),
    row: async (_index, number) => rows[number] ?? missing(`row ${number}`),
  }
  return {
    source,
    trust: {
      log: formatVerificationKey(ORIGIN, SIGNERS.log.publicKey),
      indexers: [SIGNERS.indexer.did],
      verifiers: [SIGNERS.verifier.did],
    },
    run: finished.cid,
    cids: {
      manifest: manifest.cid,
      index: index.cid,
      report: report.cid,
      selection: selection.cid,
      started: started.cid,
      root: manifest.document.root,
      bigFile: files[0]!.cid,
      findings,
      bitmap: bitmapCid,
    },
    envelopes,
    blocks,
    checkpoints: { before: log.before, now: log.now },
  }
}

/** The log before and after our entries, with the tiles of both sizes. */
async function buildLog(
  entries: readonly Uint8Array[],
  signer: Signer,
): Promise<{ tiles: Map<string, Uint8Array>; before: Uint8Array; now: Uint8Array }> {
  const tiles = new Map<string, Uint8Array>()
  const keep = (added: readonly Tile[]) => {
    for (const { level, index, width, bytes } of added) tiles.set(`${level}/${index}/${width}`, bytes)
  }
  const reader = { readTile: async (level: number, index: number, width: number) => tiles.get(`${level}/${index}/${width}`)! }
  const sign = ({ size, rootHash }: { size: number; rootHash: Uint8Array }) =>
    signNote(formatCheckpoint({ origin: ORIGIN, size, rootHash }), [
      { name: ORIGIN, publicKey: signer.publicKey, sign: (bytes) => signer.sign(bytes) },
    ])
  const others = Array.from({ length: EARLIER_ENTRIES }, (_, i) => leafHash(utf8ToBytes(`somebody else’s entry ${i}`)))
  const before = await appendLeaves(reader, 0, others)
  keep(before.tiles)
  const now = await appendLeaves(
    reader,
    before.size,
    entries.map((entry) => leafHash(entry)),
  )
  keep(now.tiles)
  return { tiles, before: sign(before), now: sign(now) }
}
