/** `assay stream`: the rows of a selection in the order of a training run, to standard output. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { CID } from '../../core/cid.ts'
import { parseCursor } from '../../core/runOrder.ts'
import { UsageError } from '../arguments.ts'
import { loadDocument } from '../client/documents.ts'
import { type Registry, type SampleQuery, cidArgument } from '../client/registry.ts'
import { type CommandContext, defineCommand } from '../command.ts'

const PAGE_SAMPLES = 1000

export const stream = defineCommand({
  name: 'stream',
  summary: 'read one epoch of a selection, or a worker’s shard of it, in the order of its seed',
  description: [
    'Worker i of n reads the positions i, i + n, i + 2n … of the epoch’s order, so that workers need not speak with each other.',
    'CURSOR is epoch.offset: the epoch, and how many rows of it this worker has read. Without a seed the rows come in their own order.',
  ].join('\n'),
  positionals: ['SELECTION'],
  options: {
    seed: { type: 'text', value: 'SEED', help: 'key of the order' },
    epoch: { type: 'integer', value: 'N', help: 'which epoch, from 0' },
    shard: { type: 'text', value: 'I/N', default: '0/1', help: 'worker I of N, from 0' },
    from: { type: 'text', value: 'CURSOR', help: 'go on from here' },
    columns: { type: 'text', value: 'LIST', help: 'only these columns, with commas between' },
    format: { type: 'text', choices: ['arrow', 'jsonl'], default: 'jsonl', help: 'JSON lines, or an Arrow IPC stream' },
  },
  async run(context, { positionals: [text], options }) {
    const { registry } = context
    const selection = cidArgument(text, 'selection')
    const query = {
      selection,
      shard: options.shard,
      ...startOf(options),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.columns === undefined ? {} : { columns: options.columns }),
    }
    const manifest = await manifestOf(registry, selection)
    if (options.format === 'arrow') await streamArrow(context, manifest, query)
    else await streamLines(context, manifest, query)
    return 0
  },
})

function startOf({ from, epoch, seed }: { from: string | undefined; epoch: number | undefined; seed: string | undefined }): SampleQuery {
  if (epoch !== undefined && seed === undefined) throw new UsageError('--epoch needs --seed SEED')
  if (from === undefined) return epoch === undefined ? {} : { epoch }
  if (epoch !== undefined) throw new UsageError('--from CURSOR names the epoch; leave --epoch out')
  parseCursor(from)
  return { cursor: from }
}

/** The version that a selection selects from. */
async function manifestOf(registry: Registry, selection: CID): Promise<string> {
  const { document } = await loadDocument(registry, 'selection', selection)
  const index = await loadDocument(registry, 'index', document.index)
  return index.document.manifest.toString()
}

async function streamArrow({ registry, stdout, signal }: CommandContext, manifest: string, query: SampleQuery): Promise<void> {
  for await (const piece of await registry.sampleStream(manifest, query)) await write(stdout, piece, signal)
}

async function streamLines({ registry, stdout, signal }: CommandContext, manifest: string, query: SampleQuery): Promise<void> {
  let page: SampleQuery = { ...query, limit: PAGE_SAMPLES }
  for (;;) {
    const { samples, next } = await registry.samples(manifest, page)
    if (samples.length > 0) await write(stdout, samples.map(({ row }) => `${JSON.stringify(row)}\n`).join(''), signal)
    if (next == null) return
    const { epoch: _epoch, ...rest } = page
    page = { ...rest, cursor: next }
  }
}

/** Writes no faster than the reader reads. */
async function write(stdout: Writable, piece: string | Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (!stdout.write(piece)) await once(stdout, 'drain', { signal })
}
