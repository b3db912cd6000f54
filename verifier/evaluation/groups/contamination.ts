/**
 * Contamination: rows that repeat items of a benchmark in the same or in other words. A file is a benchmark where rows of other files name
 * its ids in `match`, or where its rows carry the label `test`; all other files are looked through for it.
 *
 * Detectors of duplicates are read so: the benchmark stands before the rows, and a row counts as contaminated where its cluster's kept
 * sample is a benchmark item.
 */
import { type Bench, detectorsOf, type Group, run, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import type { EvalFile } from '../evalFile.ts'
import { addRetrieval } from '../measures.ts'

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
  const rows = [...benchmark, ...tested.flatMap((file) => file.rows)]
  const subject = subjectOf(corpusOfRows(rows.map((row) => ({ ...row, label: null }))), bench)
  const truth = Uint8Array.from(rows, ({ match, label }) => (match !== null || label === 'contaminated' ? 1 : 0))
  for (const detector of detectorsOf(bench, 'duplication')) {
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
    let start = benchmark.length
    for (const { name, rows: own } of tested) {
      const [from, to] = [start, start + own.length]
      addRetrieval(bench.figures, { ...place, file: name }, found, truth, (row) => row >= from && row < to)
      start = to
    }
  }
}
