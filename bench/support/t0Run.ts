/** The program that bench/t0.ts runs for one size: `t0Run.ts ROWS labels|plain`. */
import { createCorpus } from '../../verifier/corpus.ts'
import { runDetector } from '../../verifier/detectorRun.ts'
import { DETECTORS } from '../../verifier/recipe.ts'
import { canonicalText } from '../../verifier/text/canonical.ts'
import { eachToken } from '../../verifier/text/tokens.ts'
import { makeDocuments } from './documents.ts'

export interface T0Figures {
  /** Documents a CPU-second. */
  floor: number
  detectors: { id: string; rate: number }[]
  /** Of all texts, of the process with them before the first detector, and at its peak. */
  bytes: number
  before: number
  peak: number
  /** Detectors that had nothing to do, and why. */
  skipped: string[]
}

/** Documents for the floor: enough for a rate. */
const FLOOR_DOCUMENTS = 20_000

const rows = Number(process.argv[2])
const columns = makeDocuments({ rows, seed: 1, labels: process.argv[3] === 'labels' })
const corpus = createCorpus(columns)
let bytes = 0
for (let sample = 0; sample < rows; sample++) bytes += corpus.text(sample)!.length
const floorDocuments = Math.min(rows, FLOOR_DOCUMENTS)
let tokens = 0
const floor =
  floorDocuments /
  (await cpuSeconds(async () => {
    for (let sample = 0; sample < floorDocuments; sample++)
      eachToken(canonicalText(corpus.text(sample)!).toLowerCase(), () => void tokens++)
  }))
const before = process.memoryUsage.rss()
const detectors: T0Figures['detectors'] = []
const skipped: string[] = []
const { signal } = new AbortController()
for (const detector of DETECTORS.filter(({ tier, needs }) => tier === 'T0' && needs.embeddings !== true)) {
  const { id, version, tier, parameters } = detector
  let result: Awaited<ReturnType<typeof runDetector>> | undefined
  const seconds = await cpuSeconds(async () => {
    result = await runDetector({ detector, reference: { id, version, tier, parameters } }, corpus, { signal, onProgress: () => {} })
  })
  if (result?.ran === false) skipped.push(`${id} (${result.note})`)
  else detectors.push({ id, rate: rows / seconds })
}
const figures: T0Figures = { floor, detectors, bytes, before, peak: process.resourceUsage().maxRSS * 1024, skipped }
process.send?.(figures)

async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return Math.max(1, user + system) / 1e6
}
