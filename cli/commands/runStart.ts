/** `assay run start`: the trainer announces what a run will consume, and in which order. */
import { encodeDocument } from '../../core/documents/document.ts'
import { stepsPerEpoch } from '../../core/runOrder.ts'
import { loadDocument } from '../client/documents.ts'
import { cidArgument } from '../client/registry.ts'
import { defineCommand } from '../command.ts'
import { recordRun } from '../runs.ts'
import { UsageError } from '../arguments.ts'

export const runStart = defineCommand({
  name: 'run start',
  summary: 'record that a training run begins; prints the run’s CID',
  positionals: [],
  options: {
    name: { type: 'text', value: 'NAME', required: true, help: 'a name for the run' },
    selection: { type: 'list', value: 'CID', help: 'what it consumes' },
    seed: { type: 'text', value: 'SEED', required: true, help: 'key of the order' },
    epochs: { type: 'integer', value: 'N', default: 1, minimum: 1, help: 'how often it goes through' },
    shards: { type: 'integer', value: 'N', default: 1, minimum: 1, help: 'workers that read in parallel' },
    'batch-size': { type: 'integer', value: 'N', default: 32, minimum: 1, help: 'rows that each worker takes for a step' },
    code: { type: 'text', value: 'URI', help: 'the code that trains' },
    revision: { type: 'text', value: 'REV', help: 'its revision' },
    continues: { type: 'text', value: 'RUN', help: 'a run that this one continues' },
  },
  async run(context, { options }) {
    const { registry, home, output, clock } = context
    if (options.selection.length === 0) throw new UsageError('--selection CID is missing')
    if (options.revision !== undefined && options.code === undefined) throw new UsageError('--revision needs --code URI')
    const { did } = await home.signer()
    const plan = { seed: options.seed, epochs: options.epochs, shards: options.shards, batchSize: options['batch-size'] }
    const consumed = options.selection.map((text) => ({ selection: cidArgument(text, 'selection'), ...plan, steps: null }))
    const planned = await Promise.all(
      consumed.map(async ({ selection }) => {
        const { document } = await loadDocument(registry, 'selection', selection)
        return stepsPerEpoch(plan, document.selectedCount) * plan.epochs
      }),
    )
    const run = encodeDocument('run', {
      kind: 'run',
      version: 1,
      author: did,
      name: options.name,
      status: 'started',
      createdAt: clock().toISOString(),
      consumed,
      ...(options.code === undefined
        ? {}
        : { code: { uri: options.code, ...(options.revision === undefined ? {} : { revision: options.revision }) } }),
      ...(options.continues === undefined ? {} : { previous: cidArgument(options.continues, 'run') }),
    })
    await recordRun(context, run)
    output.note(`planned steps: ${planned.join(', ')}`)
    output.result({ run: run.cid.toString(), plannedSteps: planned }, run.cid.toString())
    return 0
  },
})
