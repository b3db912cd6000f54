/** `assay run finish`: the trainer says how far a run came and what came out. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { encodeDocument } from '../../core/documents/document.ts'
import { Problem } from '../../core/problem.ts'
import { UsageError } from '../arguments.ts'
import { loadDocument } from '../client/documents.ts'
import { cidArgument } from '../client/registry.ts'
import { defineCommand } from '../command.ts'
import { recordRun } from '../runs.ts'

export const runFinish = defineCommand({
  name: 'run finish',
  summary: 'record that a training run ended; prints the CID to audit',
  description: 'RUN is what "assay run start" printed.',
  positionals: ['RUN'],
  options: {
    steps: { type: 'list', value: 'N', help: 'steps done, once for each selection, or once for all of them' },
    failed: { type: 'flag', help: 'it broke off' },
    model: { type: 'text', value: 'NAME', help: 'name of the model that came out' },
    'model-file': { type: 'text', value: 'PATH', help: 'its weights; their SHA-256 is recorded' },
  },
  async run(context, { positionals: [text], options }) {
    const { registry, home, output, clock, signal } = context
    const started = await loadDocument(registry, 'run', cidArgument(text, 'run'))
    const { consumed, author, name, code } = started.document
    if (started.document.status !== 'started')
      throw new Problem('invalid-request', `${text} is a ${started.document.status} run; give the one that "run start" printed`)
    const { did } = await home.signer()
    if (did !== author) throw new Problem('forbidden', `the run was started by ${author}; your key is ${did}`)
    const steps = stepsOf(options.steps, consumed.length)
    const sha256 = options['model-file'] === undefined ? undefined : await fileSha256(options['model-file'], signal)
    const modelName = options.model ?? (options['model-file'] === undefined ? undefined : basename(options['model-file']))
    const run = encodeDocument('run', {
      kind: 'run',
      version: 1,
      author,
      name,
      status: options.failed ? 'failed' : 'finished',
      createdAt: clock().toISOString(),
      consumed: consumed.map((consumption, i) => ({ ...consumption, steps: steps[i]! })),
      ...(code === undefined ? {} : { code }),
      ...(modelName === undefined ? {} : { model: { name: modelName, ...(sha256 === undefined ? {} : { sha256 }) } }),
      previous: started.cid,
    })
    await recordRun(context, run)
    output.result({ run: run.cid.toString(), started: started.cid.toString(), steps }, run.cid.toString())
    return 0
  },
})

/** One number for each consumption. */
function stepsOf(texts: readonly string[], count: number): number[] {
  const steps = texts.map((text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new UsageError(`--steps is a whole number; not "${text}"`)
    return value
  })
  if (steps.length === 0) throw new UsageError('--steps N is missing')
  if (steps.length === 1) return Array.from({ length: count }, () => steps[0]!)
  if (steps.length !== count) throw new UsageError(`the run consumes ${count} selections; give --steps once or ${count} times`)
  return steps
}

async function fileSha256(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) hash.update(piece as Buffer)
  return hash.digest('hex')
}
