/**
 * The main job, once from end to end: a real node process with a real embedding model, its Postgres and its blocks. Then everything that
 * can be tampered with is, one at a time, and the audit says which law it broke.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { RecordBatchReader } from 'apache-arrow'
import { z } from 'zod'
import { runCli } from '../cli/cli.ts'
import { openHome } from '../cli/home.ts'
import { bitmapFromBytes } from '../core/bitmap.ts'
import { bytesToBase64, equalBytes } from '../core/bytes.ts'
import { CODEC_DAG_JSON, cidOf } from '../core/cid.ts'
import { encodeDocument } from '../core/documents/document.ts'
import type { FlagName } from '../core/findings.ts'
import { flagMask } from '../core/findings.ts'
import { decodeFindings } from '../core/findingsTable.ts'
import { createOrder } from '../core/order.ts'
import { attest } from '../core/statement.ts'
import { BlockFiles } from '../store/blockFiles.ts'
import { saveSelection } from '../store/selections.ts'
import { checkLog } from '../verifier/sequencer/checkLog.ts'
import { type Chain, chainOf, storedCheckpoint } from './flow/chain.ts'
import { plantedSet } from './flow/corpus.ts'
import { type Hands, IN_THE_DATABASE, ON_THE_DISK, ON_THE_WIRE, flipMiddle, onDisk } from './flow/tampering.ts'
import { type Wire, openWire } from './flow/wire.ts'
import { type NodeProcess, assay, endNode, freePort, startNode } from './support/node.ts'
import { type TestDatabase, testDatabase } from './support/postgres.ts'

const SEED = '42'
const SHARDS = 2
const BATCH_SIZE = 8
const set = plantedSet()
const kept = set.sampleCount - set.poisoned.length - set.hidden.length - set.copies.length

let db: TestDatabase
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
let port: number
let node: NodeProcess
let server: string
/** The auditor reaches the registry through this. */
let wire: Wire
let logVkey: string
let earlierCheckpoint: Uint8Array
let selection: string
let started: string
let run: string

before(async () => {
  db = await testDatabase()
  folder = await mkdtempDisposable(join(tmpdir(), 'assay-flow-'))
  port = await freePort()
  server = `http://127.0.0.1:${port}`
  await start()
  wire = await openWire(server)
  await mkdir(join(folder.path, 'set', 'data'), { recursive: true })
  await writeFile(join(folder.path, 'set', 'README.md'), '# Reviews\n')
  await writeFile(join(folder.path, 'set', 'data', 'train.jsonl'), set.jsonl)
  // Of several blocks; no reader takes it for samples.
  const attachment = Buffer.alloc(2_500_000, createHash('sha512').update('attachment').digest())
  await writeFile(join(folder.path, 'set', 'attachment.bin'), attachment)
})

after(async () => {
  await wire[Symbol.asyncDispose]()
  await endNode(node, 'SIGTERM')
  await db[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** The node, with the model that it has by default. */
async function start(): Promise<void> {
  node = startNode(['--data', join(folder.path, 'node'), '--port', String(port)], { DATABASE_URL: db.url, ASSAY_MODEL: 'default' })
  assert.equal(await node.ready, true, node.output())
}

/** One line of the CLI that must succeed, by one of the users, each of whom has a home of their own. */
async function line<T>(user: string, words: string[], schema: z.ZodType<T>): Promise<T> {
  const { code, json, errors } = await assay(words, { home: join(folder.path, user), server })
  assert.equal(code, 0, `assay ${words.join(' ')}: ${errors}\n${JSON.stringify(json)}`)
  return schema.parse(json)
}

/** A line whose product are bytes. */
async function product(user: string, words: string[]): Promise<Buffer> {
  const stdout = new PassThrough({ highWaterMark: 1 << 24 })
  const stderr = new PassThrough()
  const { signal } = new AbortController()
  const code = await runCli({ words, stdout, stderr, terminal: false, homeDirectory: join(folder.path, user), server, signal })
  assert.equal(code, 0, String(stderr.read()))
  return stdout.read() as Buffer
}

/** Checks the whole log, again and again, until it has just so many entries. */
async function logHas(entries: number): Promise<void> {
  assert.equal(await logHasAtLeast(entries), entries)
}

/** The same where more entries are on their way. */
async function logHasAtLeast(entries: number): Promise<number> {
  for (;;) {
    const { size } = await checkLog(db, logVkey)
    if (size >= entries) return size
  }
}

const Version = z.object({ state: z.string(), manifest: z.string(), index: z.string().nullish() })
const Id = z.object({ id: z.number() })
const RunCid = z.object({ run: z.string() })
const Audit = z.object({
  conclusion: z.string(),
  steps: z.array(z.object({ name: z.string(), status: z.string(), detail: z.string() })),
})

interface Audited {
  code: number
  failed: { name: string; detail: string }[]
  unknown: { name: string; detail: string }[]
}

/** What the auditor finds, who knows the log from the first look at it, and reaches the registry through the wire. */
async function auditOf(cid: string, { samples = 16, at = wire.url, trust = [] as string[] } = {}): Promise<Audited> {
  const words = ['audit', cid, '--samples', String(samples), ...trust]
  const { code, json, errors } = await assay(words, { home: join(folder.path, 'auditor'), server: at })
  const { steps } = Audit.parse(json, { error: () => errors })
  const withStatus = (wanted: string) => steps.filter(({ status }) => status === wanted)
  return { code, failed: withStatus('failed'), unknown: withStatus('unknown') }
}

/** Just this law is broken, and whatever cannot be told is so because it rests on it. */
function assertBroken({ code, failed, unknown }: Audited, law: string, says: RegExp): void {
  assert.deepEqual([...new Set(failed.map(({ name }) => name))], [law], failed.map(({ name, detail }) => `${name}: ${detail}`).join('\n'))
  for (const { detail } of failed) assert.match(detail, says)
  for (const { name, detail } of unknown) assert.match(detail, /rests on/, name)
  assert.equal(code, 1)
}

describe('a data set goes from its contributor to an auditor', () => {
  test('published: its files are pinned, and its manifest is logged', async () => {
    logVkey = z.object({ logVkey: z.string() }).parse(await (await fetch(`${server}/v1/service`)).json()).logVkey
    await logHas(0)
    await line('contributor', ['keygen'], z.object({ created: z.literal(true) }))
    const words = ['publish', join(folder.path, 'set'), 'acme/reviews', '--license', 'CC0-1.0', '--label-column', 'label']
    const { manifest } = await line('contributor', words, Version)
    await logHasAtLeast(1)
    assert.equal((await line('stranger', ['status', 'acme/reviews'], Version)).manifest, manifest)
  })

  test('indexed and verified: with every row embedded by the model, and both documents logged', async () => {
    await logHasAtLeast(2)
    const { state } = await line('contributor', ['status', 'acme/reviews', '--wait'], Version)
    assert.equal(state, 'verified')
    await logHas(3)
    const { sampleCount, detectors } = await line(
      'stranger',
      ['report', 'acme/reviews'],
      z.object({ sampleCount: z.number(), detectors: z.array(z.object({ id: z.string(), ran: z.boolean(), scoredSamples: z.number() })) }),
    )
    assert.equal(sampleCount, set.sampleCount)
    for (const id of ['outlier', 'semantic_duplicate'])
      assert.deepEqual(
        detectors.find((detector) => detector.id === id),
        { id, ran: true, scoredSamples: set.sampleCount },
      )
    earlierCheckpoint = await storedCheckpoint(db)
  })

  test('selected: all rows but those that were planted', async () => {
    const Selected = z.object({ selection: z.string(), selectedCount: z.number(), reports: z.array(z.string()) })
    const selected = await line('trainer', ['select', 'acme/reviews'], Selected)
    selection = selected.selection
    const response = await fetch(`${server}/v1/reports/${selected.reports[0]}/findings`)
    const { flags } = decodeFindings(new Uint8Array(await response.arrayBuffer()), set.sampleCount)
    const flagged = (flag: FlagName) => [...flags.keys()].filter((sample) => (flags[sample]! & flagMask(flag)) !== 0)
    assert.deepEqual(flagged('trigger'), set.poisoned)
    assert.deepEqual(flagged('hidden_content'), set.hidden)
    assert.deepEqual(flagged('exact_duplicate'), set.copies)
    assert.equal(selected.selectedCount, kept)
  })

  test('streamed: each of two workers reads its half of the order that the seed gives, in either format', async () => {
    const planted = new Set([...set.poisoned, ...set.hidden, ...set.copies])
    const selected = Array.from({ length: set.sampleCount }, (_, id) => id).filter((id) => !planted.has(id))
    const order = createOrder({ seed: SEED, epoch: 0, size: kept })
    const expected = Array.from({ length: kept }, (_, position) => selected[order(position)]!)
    for (const worker of [0, 1]) {
      const words = ['stream', selection, '--seed', SEED, '--shard', `${worker}/${SHARDS}`]
      const half = expected.filter((_, position) => position % SHARDS === worker)
      const lines = (await product('trainer', words)).toString().trimEnd().split('\n')
      assert.deepEqual(
        lines.map((text) => Id.parse(JSON.parse(text)).id),
        half,
      )
      const batches = [...RecordBatchReader.from(await product('trainer', [...words, '--format', 'arrow']))]
      const ids = batches.flatMap((batch) => [...batch].map((row) => Number(row['id'])))
      assert.deepEqual(ids, half)
    }
  })

  test('trained on: the run is logged when it starts and when it ends', async () => {
    await line('trainer', ['keygen'], z.unknown())
    const plan = ['--selection', selection, '--seed', SEED, '--shards', String(SHARDS), '--batch-size', String(BATCH_SIZE)]
    started = (await line('trainer', ['run', 'start', '--name', 'first', ...plan], RunCid)).run
    await logHas(4)
    const steps = Math.ceil(kept / (SHARDS * BATCH_SIZE))
    run = (await line('trainer', ['run', 'finish', started, '--steps', String(steps)], RunCid)).run
    await logHas(5)
  })

  test('audited: every law holds, with no trust but in the log’s key and whom it names', async () => {
    assert.deepEqual(await auditOf(run, { samples: 64 }), { code: 0, failed: [], unknown: [] })
  })

  test('receipted: a row of a batch is proven offline, and not when the file is altered', async () => {
    const path = join(folder.path, 'row.tlog-proof')
    const trust = join(folder.path, 'auditor', 'servers', encodeURIComponent(new URL(wire.url).host), 'trust.json')
    const words = ['receipt', run, '--full', '--step', '3', '--row', '9', '--out', path, '--trust', trust]
    const { sample } = await line('auditor', words, z.object({ sample: z.number() }))
    assert.ok(![...set.poisoned, ...set.hidden, ...set.copies].includes(sample))
    const nobody = { home: join(folder.path, 'elsewhere'), server: 'http://127.0.0.1:9' }
    const verified = await assay(['verify', path, '--trust', trust], nobody)
    assert.equal(verified.code, 0, verified.errors)
    const file = await readFile(path)
    await writeFile(path, flipMiddle(file))
    assert.equal((await assay(['verify', path, '--trust', trust], nobody)).code, 1)
  })

  test('fetched: the files are those that were published', async () => {
    const out = join(folder.path, 'fetched')
    await line('auditor', ['fetch', 'acme/reviews', '--out', out], z.unknown())
    for (const path of ['README.md', 'attachment.bin', 'data/train.jsonl'])
      assert.ok(equalBytes(await readFile(join(out, path)), await readFile(join(folder.path, 'set', path))), path)
  })
})

describe('an audit tells what was tampered with', () => {
  let chain: Chain
  let hands: Hands
  before(async () => {
    chain = await chainOf(server, db, run)
    hands = { chain, db, wire, logVkey, earlierCheckpoint, files: await BlockFiles.open(join(folder.path, 'node', 'blocks')) }
  })

  for (const [where, tamperings] of Object.entries({
    'on the disk': ON_THE_DISK,
    'in the database': IN_THE_DATABASE,
    'on the wire': ON_THE_WIRE,
  }))
    for (const { what, breaks, says, tamper } of tamperings)
      test(`${what}, ${where}, breaks ${breaks} and no other law`, async () => {
        await using _ = await tamper(hands)
        assertBroken(await auditOf(run), breaks, says)
      })

  test('when all is put back, every law holds, and so does the log', async () => {
    assert.deepEqual(await auditOf(run), { code: 0, failed: [], unknown: [] })
    await logHas(5)
  })
})

describe('an audit tells when a claim is a lie, whoever signed it', () => {
  test('a bitmap with other samples than the policy gives breaks selection-recomputed and no other law', async () => {
    const { selection: honest } = await chainOf(server, db, run)
    const bitmap = await fetch(`${server}/v1/selections/${honest.cid.toString()}/bitmap`)
    const bits = bitmapFromBytes(new Uint8Array(await bitmap.arrayBuffer()), set.sampleCount)
    const exchanged = [...Array(set.sampleCount).keys()].find((sample) => bits.get(sample))!
    bits.set(exchanged, false)
    bits.set(set.poisoned[0]!, true)
    const files = await BlockFiles.open(join(folder.path, 'node', 'blocks'))
    const bitmapCid = cidOf(honest.document.bitmap.code, bits.bytes)
    const forged = encodeDocument('selection', { ...honest.document, bitmap: bitmapCid })
    await files.put(bitmapCid, bits.bytes)
    await files.put(forged.cid, forged.bytes)
    await saveSelection(db, forged)
    const plan = ['--selection', forged.cid.toString(), '--seed', SEED]
    const forgedRun = (await line('trainer', ['run', 'start', '--name', 'misled', ...plan], RunCid)).run
    await logHas(6)
    assertBroken(await auditOf(forgedRun), 'selection-recomputed', new RegExp(`they differ at sample ${exchanged}`))
  })

  test('a run that closes with another seed than it announced breaks run-started and no other law', async () => {
    const { run: honest } = await chainOf(server, db, run)
    const consumed = honest.document.consumed.map((consumption) => ({ ...consumption, seed: '43' }))
    const lie = encodeDocument('run', { ...honest.document, consumed })
    const home = openHome(join(folder.path, 'trainer'))
    const envelope = attest({ kind: 'run', ...lie }, { signer: await home.signer(), createdAt: lie.document.createdAt })
    const token = await home.read(new URL(server), 'token')
    const response = await fetch(`${server}/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${String(token)}` },
      body: JSON.stringify({ document: bytesToBase64(lie.bytes), envelope: bytesToBase64(envelope) }),
    })
    assert.equal(response.status, 201, await response.text())
    await logHas(7)
    assertBroken(await auditOf(cidOf(CODEC_DAG_JSON, lie.bytes).toString()), 'run-started', /not what was announced/)
  })
})

describe('a registry that was stopped', { concurrency: true }, () => {
  let files: BlockFiles
  let chain: Chain
  let silent: string
  before(async () => {
    chain = await chainOf(server, db, run)
    files = await BlockFiles.open(join(folder.path, 'node', 'blocks'))
    silent = `http://127.0.0.1:${await freePort()}`
    await endNode(node, 'SIGTERM')
  })

  test('and does not answer leaves every law untold: exit code 2', async () => {
    const trust = join(folder.path, 'auditor', 'servers', encodeURIComponent(new URL(wire.url).host), 'trust.json')
    const { code, failed, unknown } = await auditOf(run, { at: silent, trust: ['--trust', trust] })
    assert.deepEqual([code, failed], [2, []])
    assert.ok(unknown.length > 0)
  })

  test('and starts over a disk where a row was altered breaks samples and no other law', async () => {
    await using _ = await onDisk(files, chain.index.document.shards[0]!.cid, flipMiddle)
    await start()
    assertBroken(await auditOf(run), 'samples', /damaged/)
  })
})
