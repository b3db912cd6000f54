/** What all detectors of tier T0 together cost on documents: who wrote them stands as a label, so that those for labelled texts run too. */
import { type Bench, run, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import type { TextPool } from './textPool.ts'

const GROUP = 'text_synthetic'

export async function measureCost({ rows }: TextPool, bench: Bench): Promise<void> {
  const detectors = bench.detectors.filter(({ tier }) => tier === 'T0')
  for (const [file, own] of Map.groupBy(rows, (row) => row.file)) {
    const subject = subjectOf(corpusOfRows(own.map(({ text, label }) => ({ text, label }))), bench)
    const place = { group: GROUP, file, slice: 'cost' }
    const start = process.cpuUsage()
    const parameters = { powerTokens: 0 }
    for (const detector of detectors) await run(bench, detector, subject, place, { parameters, measured: false })
    const { user, system } = process.cpuUsage(start)
    const together = { ...place, detector: 'all of T0' }
    bench.figures.number(together, 'rows_per_cpu_second', (own.length * 1e6) / Math.max(1, user + system), own.length)
    bench.figures.number(together, 'characters_per_row', own.reduce((sum, { text }) => sum + text.length, 0) / own.length, own.length)
  }
}
