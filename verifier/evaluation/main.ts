/** npm run evaluate: measures the verifier on a folder of evaluation data. */
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../../core/problem.ts'
import { createEmbedder } from '../embedding/embedder.ts'
import { defaultModelCache } from '../embedding/modelCache.ts'
import { DEFAULT_MODEL, MOBILENET_V3_SMALL } from '../embedding/models.ts'
import { DETECTORS } from '../recipe.ts'
import { evaluate, GROUPS } from './evaluate.ts'
import { openImageVectors } from './imageVectors.ts'
import { readLedgers } from './fitLedger.ts'
import { learnersFor } from './learners/learners.ts'
import { createProgressLine } from './progressLine.ts'
import { createFigures } from './result.ts'
import { formatReport, formatTable } from './table.ts'
import { openTextVectors } from './textVectors.ts'

const HELP = `npm run evaluate -- --data DIR [--out FILE] [--only GROUP,…]

  --data DIR         a folder with one folder a group, JSONL files in it
  --out FILE         writes the figures as JSON: {"results": [{group, file, slice, detector, metric, value, low, high, n}]}
  --only GROUP,…     of ${GROUPS.map(({ name }) => name).join(', ')}
  --files PART,…     only files with such a part in their names
  --detectors ID,…   only these detectors and learners
  --seeds N          how often a trigger is injected anew (default 20)
  --no-model         without the embedding model: what needs it is skipped
  --cache DIR        where embeddings are kept between runs (default ~/.cache/assay/evaluation)
  --help             this
`

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string' },
    files: { type: 'string' },
    detectors: { type: 'string' },
    seeds: { type: 'string', default: '20' },
    'no-model': { type: 'boolean', default: false },
    cache: { type: 'string', default: join(homedir(), '.cache', 'assay', 'evaluation') },
    help: { type: 'boolean', short: 'h' },
  },
})

const listed = (list: string | undefined) => list?.split(',').filter((part) => part !== '')
const only = listed(values.only)
const wanted = listed(values.detectors)
const unknown = only?.filter((name) => !GROUPS.some((group) => group.name === name)) ?? []
const seeds = Number(values.seeds)

if (values.help === true) console.log(HELP)
else if (values.data === undefined) fail('--data takes the folder with the evaluation data')
else if (unknown.length > 0) fail(`there is no group ${unknown.join(', ')}`)
else if (!Number.isInteger(seeds) || seeds < 1) fail('--seeds takes a whole number above 0')
else await main(values.data)

function fail(reason: string): void {
  console.error(`${reason}\n\n${HELP}`)
  process.exitCode = 2
}

async function main(dataDir: string): Promise<void> {
  const progress = createProgressLine(process.stderr)
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort(new Error('interrupted')))
  const vectors = values['no-model']
    ? null
    : openTextVectors({
        embedder: createEmbedder({ manifest: DEFAULT_MODEL, device: 'cpu', cacheDir: defaultModelCache() }),
        cacheDir: values.cache,
        onProgress: (share) => progress.part(`embedding ${(100 * share).toFixed(0)} %`),
      })
  const imageVectors = values['no-model']
    ? null
    : openImageVectors({
        manifest: MOBILENET_V3_SMALL,
        modelCache: defaultModelCache(),
        cacheDir: values.cache,
        onProgress: (share) => progress.part(`embedding images ${(100 * share).toFixed(0)} %`),
      })
  const figures = createFigures()
  const chosen = <T extends { id: string }>(all: readonly T[]) => (wanted === undefined ? all : all.filter(({ id }) => wanted.includes(id)))
  try {
    await evaluate(
      { dataDir, only, files: listed(values.files) },
      {
        detectors: chosen(DETECTORS),
        learners: chosen(learnersFor(vectors?.outputs ?? [])),
        vectors,
        imageVectors,
        figures,
        fittedContents: await readLedgers([new URL('../synthetic/fitted.ledger', import.meta.url)]),
        seeds,
        signal: abort.signal,
        onStage: (stage) => progress.stage(stage),
      },
    )
  } catch (error) {
    progress.end()
    console.error(`stopped: ${messageOf(error)}; the figures so far:`)
    process.exitCode = 1
  }
  progress.end()
  console.log(formatTable(figures.results))
  for (const reason of figures.skipped) console.log(`skipped: ${reason}`)
  if (values.out !== undefined)
    await writeFile(
      values.out,
      formatReport(figures.results, Object.fromEntries(chosen(DETECTORS).map(({ id, version }) => [id, version]))),
    )
}
