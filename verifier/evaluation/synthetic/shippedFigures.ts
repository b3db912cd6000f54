/** What the detectors of synthetic text find as they ship. Texts that their weights were fitted on are left out. */
import { type Bench, detectorsOf, run, scoresOf, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import { addAlarm, addRanking } from '../measures.ts'
import { confusion } from '../statistics/retrieval.ts'
import { isHuman } from './plans.ts'
import type { PoolRow, TextPool } from './textPool.ts'

const GROUP = 'text_synthetic'
/** The language of rows that name none. */
const LANGUAGE = 'en'

/** The detectors as they ship, on each kind of text of each file, as its contributor would declare it. */
export async function measureShippedDetectors(pool: TextPool, bench: Bench): Promise<void> {
  const detectors = detectorsOf(bench, 'synthetic_share')
  const cells = new Map<string, PoolRow[]>()
  for (const row of pool.rows) {
    if (bench.fittedContents.has(row.content)) continue
    const cell = `${row.file}\0${row.language ?? LANGUAGE}/${row.domain ?? '?'}`
    cells.set(cell, [...(cells.get(cell) ?? []), row])
  }
  for (const [key, rows] of cells) {
    const [file, cell] = key.split('\0') as [string, string]
    const corpus = corpusOfRows(rows.map((row) => ({ ...row, label: null, language: row.language ?? LANGUAGE })))
    const subject = subjectOf(corpus, bench)
    const truth = Uint8Array.from(rows, (row) => (isHuman(row) ? 0 : 1))
    for (const detector of detectors) {
      const place = { group: GROUP, file, slice: `as shipped; ${cell}`, detector: detector.id }
      const result = await run(bench, detector, subject, place)
      if (result === null) continue
      const { figures } = bench
      const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion(
        result.flagged,
        truth,
        (row) => result.scores.valid[row] === 1,
      )
      const looked = truePositives + falsePositives + falseNegatives + trueNegatives
      figures.share(place, 'fpr_at_setting', falsePositives, falsePositives + trueNegatives)
      figures.share(place, 'tpr_at_setting', truePositives, truePositives + falseNegatives)
      figures.number(place, 'fraction_true', (truePositives + falseNegatives) / looked, looked)
      if (result.lowerBoundSamples !== undefined) figures.number(place, 'fraction_at_least', result.lowerBoundSamples / looked, looked)
      const share = result.findings.map(({ facts }) => facts['share_millionths']).find((fact) => typeof fact === 'number')
      if (share !== undefined) figures.number(place, 'fraction_estimated', share / 1_000_000, looked)
      addRanking(
        figures,
        place,
        scoresOf(result, (row) => truth[row] === 1),
        scoresOf(result, (row) => truth[row] === 0),
      )
      addAlarm(figures, place, result)
    }
  }
}
