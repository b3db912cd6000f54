/**
 * Batch receipts of single rows verified a second, against verifying the signature of their checkpoints alone, which nothing can leave out.
 *
 *     node bench/receipts.ts [--rows 1000000] [--entries 100000] [--rounds 5]
 */
import { createHash } from 'node:crypto'
import { batchReceiptOf, encodeBatchReceipt, verifyBatchReceipt } from '../core/batchReceipt.ts'
import { openTrustedCheckpoint } from '../core/audit/trust.ts'
import { bytesToHex, concatBytes, utf8ToBytes } from '../core/bytes.ts'
import { CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../core/cid.ts'
import { signerFromSeed } from '../core/keys.ts'
import { formatCheckpoint } from '../core/log/checkpoint.ts'
import { encodeLogEntry } from '../core/log/entry.ts'
import { formatVerificationKey, signNote } from '../core/log/note.ts'
import { parseProofFile } from '../core/log/proofFile.ts'
import { createTreeBuilder, levelFileReader } from '../core/merkle/builder.ts'
import { inclusionProof, multiInclusionProof } from '../core/merkle/tiles.ts'
import { leafHash } from '../core/merkle/tree.ts'
import { nativeSha256 } from '../store/blocks.ts'
import { compare } from './support/measurement.ts'
import { report, sizesFrom } from './support/program.ts'

const RECEIPTS = 200
const ORIGIN = 'bench.test/log'

const { rows, entries, rounds } = sizesFrom({ rows: 1_000_000, entries: 100_000, rounds: 5 })
const log = { name: ORIGIN, ...signerFromSeed(new Uint8Array(32).fill(3)) }
const trust = { log: formatVerificationKey(ORIGIN, log.publicKey) }

const digestOf = (n: number) => createHash('sha256').update(`row ${n}`).digest()
const samples = treeOf(rows, (n) => leafHash(digestOf(n), nativeSha256))
const index = {
  cid: cidOf(CODEC_DAG_JSON, utf8ToBytes('an index')),
  envelope: cidOf(CODEC_RAW, utf8ToBytes('its envelope')),
  tree: { rootHash: bytesToHex(samples.rootHash), size: rows },
}
const logIndex = Math.floor(entries / 3)
const entry = encodeLogEntry({ kind: 'index', document: index.cid, envelope: index.envelope, tree: index.tree })
const logTree = treeOf(entries, (n) => leafHash(n === logIndex ? entry : utf8ToBytes(`entry ${n}`), nativeSha256))
const checkpoint = signNote(formatCheckpoint({ origin: ORIGIN, size: entries, rootHash: logTree.rootHash }), [log])
const logProof = await inclusionProof(logTree.reader, logIndex, entries)

const files: Uint8Array[] = []
for (let i = 0; i < RECEIPTS; i++) {
  const number = Math.floor((i * rows) / RECEIPTS)
  files.push(
    encodeBatchReceipt({
      checkpoint,
      index: { ...index, logIndex, logProof },
      samples: [{ number, digest: digestOf(number), row: i }],
      proof: await multiInclusionProof(samples.reader, [number], rows),
      claim: { run: index.cid, consumed: 0, step: 0 },
    }),
  )
}
const bytes = Math.max(...files.map(({ length }) => length))

report(
  await compare({
    name: 'receipts',
    unit: 'receipts/s',
    subject: {
      run: async () => {
        for (const file of files) {
          const proof = parseProofFile(file)
          verifyBatchReceipt(proof, batchReceiptOf(proof)!, trust)
        }
        return Promise.resolve(files.length)
      },
    },
    floor: {
      run: async () => {
        for (const _ of files) openTrustedCheckpoint(checkpoint, trust)
        return Promise.resolve(files.length)
      },
    },
    against: 'signatures of checkpoints',
    size: `${RECEIPTS} receipts of at most ${bytes} bytes, each of one row of ${rows}, in a log of ${entries} entries`,
    rounds,
  }),
)

function treeOf(count: number, leafAt: (n: number) => Uint8Array) {
  const levels: Uint8Array[][] = []
  const builder = createTreeBuilder({ onTile: (level, tile) => (levels[level] ??= []).push(tile), hash: nativeSha256 })
  for (let n = 0; n < count; n++) builder.push(leafAt(n))
  const { rootHash } = builder.finish()
  const joined = levels.map((tiles) => concatBytes(...tiles))
  const reader = levelFileReader(async (level, offset, length) => Promise.resolve(joined[level]!.subarray(offset, offset + length)))
  return { rootHash, reader }
}
