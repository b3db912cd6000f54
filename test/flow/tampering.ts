/**
 * What somebody can do to the evidence of a run: on the registry's disk, in its database, or on the way to the auditor. Each names the
 * law that it breaks. All of it can be undone, by disposing of what `tamper` returns.
 */
import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { sql } from 'kysely'
import type { StepName } from '../../core/audit/step.ts'
import { type CID, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { decodeFindings, encodeFindings } from '../../core/findingsTable.ts'
import { type Signer, signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint, openCheckpoint } from '../../core/log/checkpoint.ts'
import { signNote } from '../../core/log/note.ts'
import { type SignedKind, attest } from '../../core/statement.ts'
import { walkDag } from '../../core/unixfs/reader.ts'
import { BlockFiles } from '../../store/blockFiles.ts'
import type { Database } from '../../store/database.ts'
import type { Chain } from './chain.ts'
import type { Change, Wire } from './wire.ts'

/** All that an attacker may lay hands on. */
export interface Hands {
  chain: Chain
  db: Database
  files: BlockFiles
  wire: Wire
  logVkey: string
  /** The log as it was when the run had not begun. */
  earlierCheckpoint: Uint8Array
}

export interface Tampering {
  what: string
  breaks: StepName
  /** What the auditor is told. */
  says: RegExp
  tamper: (hands: Hands) => Promise<AsyncDisposable>
}

const stranger = signerFromSeed(new Uint8Array(32).fill(66))

export const flipMiddle: Change = (bytes) => {
  bytes[bytes.length >> 1]! ^= 1
  return bytes
}

/** Replaces a text in the bytes, which must have it. */
function replacing(text: string, by: string): Change {
  return (bytes) => {
    const before = bytes.toString('latin1')
    assert.ok(before.includes(text), `no ${text} in ${before.slice(0, 2000)}`)
    return Buffer.from(before.replace(text, by), 'latin1')
  }
}

/** Alters the file of a block. */
export async function onDisk(files: BlockFiles, cid: CID, change: Change): Promise<AsyncDisposable> {
  const path = files.pathOf(cid)
  const before = await readFile(path)
  await writeFile(path, change(Buffer.from(before)))
  return { [Symbol.asyncDispose]: () => writeFile(path, before) }
}

/** The last block of the largest file: a leaf of a DAG. */
async function lastLeaf({ chain, files }: Hands): Promise<CID> {
  const largest = chain.manifest.document.files.toSorted((a, b) => b.sizeBytes - a.sizeBytes)[0]!
  let last = largest.cid
  for await (const { cid } of walkDag(async (asked) => (await files.read(asked))!, largest.cid)) last = cid
  assert.ok(!last.equals(largest.cid), 'the file is a single block')
  return last
}

/** Gives one row another score, in a table that is well formed otherwise. */
function anotherScore({ chain }: Hands): Change {
  return (bytes) => {
    const findings = decodeFindings(bytes, chain.report.document.sampleCount)
    findings.scores.get('trigger')![3]! += 1
    return encodeFindings(findings)
  }
}

const envelopeBy = (signer: Signer, kind: SignedKind, { cid, bytes }: { cid: CID; bytes: Uint8Array }): Uint8Array =>
  attest({ kind, cid, bytes }, { signer, createdAt: '2026-11-20T06:00:00.000Z' })

const anotherSeed = replacing('"seed":"42"', '"seed":"43"')

const anotherScoreCount = ({ chain }: Hands): Change => {
  const { scoredSamples } = chain.report.document.detectors[0]!
  return replacing(`"scoredSamples":${scoredSamples}`, `"scoredSamples":${scoredSamples - 1}`)
}

export const ON_THE_DISK: readonly Tampering[] = [
  {
    what: 'a byte of a block of a file',
    breaks: 'files',
    says: /attachment\.bin/,
    tamper: async (hands) => onDisk(hands.files, await lastLeaf(hands), flipMiddle),
  },
  {
    what: 'a block of a file that is gone',
    breaks: 'files',
    says: /attachment\.bin is not whole/,
    async tamper(hands) {
      const path = hands.files.pathOf(await lastLeaf(hands))
      await rename(path, `${path}.gone`)
      return { [Symbol.asyncDispose]: () => rename(`${path}.gone`, path) }
    },
  },
  {
    what: 'a byte of the file that holds the rows',
    breaks: 'files',
    says: /train\.jsonl/,
    tamper: ({ files, chain }) =>
      onDisk(files, chain.manifest.document.files.find(({ path }) => path === 'data/train.jsonl')!.cid, flipMiddle),
  },
  {
    what: 'a tile of the sample tree',
    breaks: 'sample-tree',
    says: /damaged/,
    tamper: ({ files, chain }) => onDisk(files, chain.index.document.tree.levels[0]!, flipMiddle),
  },
  {
    what: 'a byte of the manifest’s envelope',
    breaks: 'manifest-signature',
    says: /damaged/,
    tamper: ({ files, chain }) => onDisk(files, chain.envelopes.manifest, flipMiddle),
  },
  {
    what: 'a byte of the report’s envelope',
    breaks: 'report-signature',
    says: /damaged/,
    tamper: ({ files, chain }) => onDisk(files, chain.envelopes.report, flipMiddle),
  },
  {
    what: 'a score in the report’s findings',
    breaks: 'findings-table',
    says: /damaged/,
    tamper: (hands) => onDisk(hands.files, hands.chain.report.document.findings, anotherScore(hands)),
  },
  {
    what: 'a count of scores in the report itself',
    breaks: 'report-signature',
    says: /damaged/,
    tamper: (hands) => onDisk(hands.files, hands.chain.report.cid, anotherScoreCount(hands)),
  },
  {
    what: 'a bit of the selection’s bitmap',
    breaks: 'selection-document',
    says: /damaged/,
    tamper: ({ files, chain }) => onDisk(files, chain.selection.document.bitmap, flipMiddle),
  },
  {
    what: 'the run’s seed',
    breaks: 'run-signature',
    says: /damaged/,
    tamper: ({ files, chain }) => onDisk(files, chain.run.cid, anotherSeed),
  },
  {
    what: 'the seed that was announced when the run started',
    breaks: 'run-started',
    says: /damaged/,
    tamper: ({ files, chain }) => onDisk(files, chain.started.cid, anotherSeed),
  },
]

export const IN_THE_DATABASE: readonly Tampering[] = [
  {
    what: 'a byte of a tile of the log',
    breaks: 'log-consistency',
    says: /do not hash to the checkpoint/,
    async tamper({ db }) {
      const flip = () => sql`update log_tiles set bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1) where level = 0`.execute(db)
      await flip()
      return { [Symbol.asyncDispose]: async () => void (await flip()) }
    },
  },
  {
    what: 'a byte of the checkpoint',
    breaks: 'checkpoint-signature',
    says: /sign/,
    tamper: ({ db }) => storingCheckpoint(db, flipMiddle),
  },
  {
    what: 'a checkpoint of another key over the same tree',
    breaks: 'checkpoint-signature',
    says: /sign/,
    tamper: ({ db, logVkey }) => storingCheckpoint(db, checkpointBy(stranger, logVkey)),
  },
  {
    what: 'a checkpoint from before the run',
    breaks: 'log-consistency',
    says: /rolled back/,
    tamper: ({ db, earlierCheckpoint }) => storingCheckpoint(db, () => earlierCheckpoint),
  },
  {
    what: 'an envelope of somebody else’s for the report',
    breaks: 'report-signature',
    says: /whom this audit does not trust/,
    tamper: (hands) => replacingEnvelope(hands, 'report', hands.chain.report),
  },
  {
    what: 'an envelope of somebody else’s for the manifest',
    breaks: 'manifest-signature',
    says: /author/,
    tamper: (hands) => replacingEnvelope(hands, 'manifest', hands.chain.manifest),
  },
]

export const ON_THE_WIRE: readonly Tampering[] = [
  {
    what: 'a row',
    breaks: 'samples',
    says: /not that leaf of the tree/,
    tamper: async ({ wire, chain }) =>
      wire.alter(`/v1/versions/${chain.manifest.cid.toString()}/samples`, replacing('tive"', 'tiv"'), 'first'),
  },
  {
    what: 'a byte of a block of a file',
    breaks: 'files',
    says: /attachment\.bin: .*another hash/,
    tamper: async (hands) => hands.wire.alter(`/ipfs/${(await lastLeaf(hands)).toString()}`, flipMiddle),
  },
  {
    what: 'a tile of the sample tree',
    breaks: 'sample-tree',
    says: /another hash/,
    tamper: async ({ wire, chain }) => wire.alter(`/ipfs/${chain.index.document.tree.levels[0]!.toString()}`, flipMiddle),
  },
  {
    what: 'a tile of the log',
    breaks: 'log-consistency',
    says: /do not hash to the checkpoint/,
    tamper: async ({ wire }) => wire.alter('/log/tile/0/', flipMiddle),
  },
  {
    what: 'a checkpoint with another root',
    breaks: 'checkpoint-signature',
    says: /sign/,
    tamper: async ({ wire }) => wire.alter('/log/checkpoint', (note) => replacing(rootLine(note), 'A'.repeat(43) + '=')(note)),
  },
  {
    what: 'an envelope with another signature',
    breaks: 'index-signature',
    says: /signature/,
    tamper: async ({ wire, chain }) => wire.alter(`/ipfs/${chain.envelopes.index.toString()}`, flipSignature),
  },
  {
    what: 'the place of the report in the log',
    breaks: 'report-logged',
    says: /entry 0 of the log is not this report/,
    tamper: async ({ wire, chain }) =>
      wire.alter(`/v1/documents/${chain.report.cid.toString()}/attestations`, replacing('"logIndex":2', '"logIndex":0')),
  },
  {
    what: 'a score in the report’s findings',
    breaks: 'findings-table',
    says: /another hash/,
    tamper: async (hands) => hands.wire.alter(`/ipfs/${hands.chain.report.document.findings.toString()}`, anotherScore(hands)),
  },
  {
    what: 'a count of scores in the report itself',
    breaks: 'report-signature',
    says: /another CID/,
    tamper: async (hands) => hands.wire.alter(documentPath(hands.chain.report.cid), anotherScoreCount(hands)),
  },
  {
    what: 'a bit of the selection’s bitmap',
    breaks: 'selection-document',
    says: /another hash/,
    tamper: async ({ wire, chain }) => wire.alter(`/ipfs/${chain.selection.document.bitmap.toString()}`, flipMiddle),
  },
  {
    what: 'the run’s seed',
    breaks: 'run-signature',
    says: /another CID/,
    tamper: async ({ wire, chain }) => wire.alter(documentPath(chain.run.cid), anotherSeed),
  },
]

/** The document's own path: `/attestations` lies below it. */
const documentPath = (cid: CID) => `/v1/documents/${cid.toString()}`

const rootLine = (note: Buffer): string => note.toString().split('\n')[2]!

const flipSignature: Change = (bytes) => {
  const envelope = JSON.parse(bytes.toString()) as { signatures: { sig: string }[] }
  const signature = Buffer.from(envelope.signatures[0]!.sig, 'base64')
  signature[10]! ^= 1
  return Buffer.from(bytes.toString().replace(envelope.signatures[0]!.sig, signature.toString('base64')))
}

/** The same tree, signed by another under the name of the log. */
function checkpointBy(signer: Signer, logVkey: string): Change {
  return (note) => {
    const { origin, size, rootHash } = openCheckpoint(note, logVkey)
    return signNote(formatCheckpoint({ origin, size, rootHash }), [
      { name: origin, publicKey: signer.publicKey, sign: (bytes) => signer.sign(bytes) },
    ])
  }
}

async function storingCheckpoint(db: Database, change: Change): Promise<AsyncDisposable> {
  const { published_checkpoint: checkpoint } = await db.selectFrom('log_state').select('published_checkpoint').executeTakeFirstOrThrow()
  const store = (bytes: Uint8Array) =>
    db
      .updateTable('log_state')
      .set({ published_checkpoint: Buffer.from(bytes) })
      .execute()
  await store(change(Buffer.from(checkpoint!)))
  return { [Symbol.asyncDispose]: async () => void (await store(checkpoint!)) }
}

/** Stores an envelope by a stranger and has the document's attestation name it. */
async function replacingEnvelope(
  { db, files }: Hands,
  kind: SignedKind,
  document: { cid: CID; bytes: Uint8Array },
): Promise<AsyncDisposable> {
  const envelope = envelopeBy(stranger, kind, document)
  const cid = await files.put(cidOf(CODEC_RAW, envelope), envelope)
  const attestation = await db
    .selectFrom('attestations')
    .select(['id', 'envelope_cid'])
    .where('document_cid', '=', document.cid.toString())
    .executeTakeFirstOrThrow()
  const name = (envelopeCid: string) =>
    db.updateTable('attestations').set({ envelope_cid: envelopeCid }).where('id', '=', attestation.id).execute()
  await name(cid.toString())
  return { [Symbol.asyncDispose]: async () => void (await name(attestation.envelope_cid)) }
}
