/**
 * Contamination: rows that repeat items of a benchmark in the same or in other words. A file is a benchmark where rows of other files name
 * its ids in `match`, or where its rows carry the label `test`; all other files are looked through for it.
 *
 * Detectors that need benchmarks get it as such: what they flag counts. Those of duplicates are read so: the benchmark stands before the
 * rows, and a row counts as contaminated where its cluster's kept sample is a benchmark item.
 */
import type { Detector } from '../../detectors/detector.ts'
import { type Bench, detectorsOf, type Group, run, scoresOf, subjectOf } from '../bench.ts'
import { type CorpusRow, corpusOfRows } from '../evalCorpus.ts'
import type { EvalFile } from '../evalFile.ts'
import { addRanking, addRetrieval } from '../measures.ts'
import type { Place } from '../result.ts'

const GROUP = 'contamination'

export const contamination: Group = {
  name: GROUP,
  async evaluate(files, bench) {
    const matched = new Set(files.flatMap(({ rows }) => rows.flatMap(({ match }) => (match === null ? [] : [match]))))
    const isBenchmark = ({ rows }: EvalFile) =>
      rows.some(({ id }) => matched.has(id)) || (rows.length > 0 && rows.every(({ label }) => label === 'test'))
    const benchmark = files.filter(isBenchmark).flatMap(({ rows }) => rows)
    const tested = files.filter((file) => !isBenchmark(file))
    if (benchmark.length === 0 || tested.length === 0)
      return bench.figures.skip(`${GROUP}: there has to be a benchmark and something to look through`)
    await measure(benchmark, tested, bench)
  },
}

async function measure(benchmark: EvalFile['rows'], tested: readonly EvalFile[], bench: Bench): Promise<void> {
  const detectors = detectorsOf(bench, 'duplication')
  const comparing = detectors.filter(({ needs }) => needs.benchmarks === true)
  await measureFlags(benchmark, tested, comparing, bench)
  await measureTwins(
    benchmark,
    tested,
    detectors.filter((detector) => !comparing.includes(detector)),
    bench,
  )
}

async function measureFlags(
  items: EvalFile['rows'],
  tested: readonly EvalFile[],
  detectors: readonly Detector[],
  bench: Bench,
): Promise<void> {
  if (detectors.length === 0) return
  const corpus = corpusOfRows(unlabelled(items))
  const embeddings = await bench.vectors?.embeddings(corpus, { layers: false, signal: bench.signal })
  const benchmarks = [{ name: GROUP, corpus, ...(embeddings === undefined ? {} : { embeddings }) }]
  const rows = tested.flatMap((file) => file.rows)
  const subject = subjectOf(corpusOfRows(unlabelled(rows)), bench)
  for (const detector of detectors) {
    const place = { group: GROUP, file: '*', slice: 'all', detector: detector.id }
    const result = await run(bench, detector, subject, place, { benchmarks })
    if (result === null) continue
    const truth = truthOf(rows)
    addRetrieval(bench.figures, place, result.flagged, truth)
    const scored = (wanted: number) => scoresOf(result, (row) => truth[row] === wanted)
    addRanking(bench.figures, place, scored(1), scored(0))
    addFiles(bench, { place, tested, found: result.flagged, truth, first: 0 })
  }
}

async function measureTwins(
  benchmark: EvalFile['rows'],
  tested: readonly EvalFile[],
  detectors: readonly Detector[],
  bench: Bench,
): Promise<void> {
  const rows = [...benchmark, ...tested.flatMap((file) => file.rows)]
  const subject = subjectOf(corpusOfRows(unlabelled(rows)), bench)
  const truth = truthOf(rows)
  for (const detector of detectors) {
    const place = { group: GROUP, file: '*', slice: 'all', detector: detector.id }
    const result = await run(bench, detector, subject, place)
    if (result === null) continue
    const { clusters } = result
    if (clusters === undefined) {
      bench.figures.skip(`${GROUP}: ${detector.id} names no twins`)
      continue
    }
    const found = Uint8Array.from(rows, (_, row) =>
      row >= benchmark.length && clusters[row]! >= 0 && clusters[row]! < benchmark.length ? 1 : 0,
    )
    addRetrieval(bench.figures, place, found, truth, (row) => row >= benchmark.length)
    addFiles(bench, { place, tested, found, truth, first: benchmark.length })
  }
}

interface FoundRows {
  place: Place
  tested: readonly EvalFile[]
  found: Uint8Array
  truth: Uint8Array
  /** Where the rows of the files begin. */
  first: number
}

/** The figures of each file by itself. */
function addFiles({ figures }: Bench, { place, tested, found, truth, first }: FoundRows): void {
  let start = first
  for (const { name, rows } of tested) {
    const [from, to] = [start, start + rows.length]
    addRetrieval(figures, { ...place, file: name }, found, truth, (row) => row >= from && row < to)
    start = to
  }
}

function unlabelled(rows: EvalFile['rows']): CorpusRow[] {
  return rows.map((row) => ({ ...row, label: null }))
}

function truthOf(rows: EvalFile['rows']): Uint8Array {
  return Uint8Array.from(rows, ({ match, label }) => (match !== null || label === 'contaminated' ? 1 : 0))
}
