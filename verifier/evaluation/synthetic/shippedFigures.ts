/**
 * What the detectors of synthetic text find as they ship, on each kind of text of each file, as its contributor would declare it, against half
 * of its human texts. Texts that their weights were fitted on are left out.
 */
import type { DetectorResult, Reference } from '../../detectors/detector.ts'
import { type Bench, detectorsOf, ones, run, scoresOf, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import { addAlarm, addRanking } from '../measures.ts'
import type { Place } from '../result.ts'
import { foldOf } from '../split.ts'
import { confusion } from '../statistics/retrieval.ts'
import { isHuman, isMachine } from './plans.ts'
import { kindOf, type PoolRow, type TextPool } from './textPool.ts'

const GROUP = 'text_synthetic'

export async function measureShippedDetectors(pool: TextPool, bench: Bench): Promise<void> {
  const detectors = detectorsOf(bench, 'synthetic_share')
  if (detectors.length === 0) return
  const usable = pool.rows.filter((row) => !bench.fittedContents.has(row.content) && (isHuman(row) || isMachine(row)))
  for (const [kind, rows] of Map.groupBy(usable, kindOf)) {
    const file = rows[0]!.file
    const cell = kind.slice(file.length + 1).toLowerCase()
    const isReference = (row: PoolRow) => isHuman(row) && foldOf(row.group, 2) === 0
    const humans = subjectOf(corpusOf(rows.filter(isReference), cell), bench)
    const rest = rows.filter((row) => !isReference(row))
    for (const [name, part] of [
      [cell, rest],
      [`${cell}; human texts alone`, rest.filter(isHuman)],
    ] as const) {
      if (part.length === 0 || humans.corpus.count === 0) continue
      const subject = subjectOf(corpusOf(part, cell), bench)
      const truth = Uint8Array.from(part, (row) => (isHuman(row) ? 0 : 1))
      for (const detector of detectors) {
        const reference: Reference = {
          cell,
          corpus: humans.corpus,
          ...(detector.needs.embeddings === true && bench.vectors !== null ? { embeddings: await humans.embeddings(true) } : {}),
        }
        const place = { group: GROUP, file, slice: `as shipped; ${name}`, detector: detector.id }
        const result = await run(bench, detector, subject, place, { references: [reference] })
        if (result !== null) measureResult(place, result, truth, bench)
      }
    }
  }
}

function corpusOf(rows: readonly PoolRow[], cell: string) {
  const [language, domain] = cell.split('/') as [string, string]
  return corpusOfRows(rows.map((row) => ({ ...row, label: null, language, domain })))
}

function measureResult(place: Place, result: DetectorResult, truth: Uint8Array, { figures }: Bench): void {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion(
    result.flagged,
    truth,
    (row) => result.scores.valid[row] === 1,
  )
  const looked = truePositives + falsePositives + falseNegatives + trueNegatives
  figures.share(place, 'fpr_at_setting', falsePositives, falsePositives + trueNegatives)
  figures.share(place, 'tpr_at_setting', truePositives, truePositives + falseNegatives)
  if (looked > 0) figures.number(place, 'fraction_true', (truePositives + falseNegatives) / looked, looked)
  if (result.lowerBoundSamples !== undefined) figures.number(place, 'fraction_at_least', result.lowerBoundSamples / looked, looked)
  const share = result.findings.map(({ facts }) => facts['share_millionths']).find((fact) => typeof fact === 'number')
  if (share !== undefined) figures.number(place, 'fraction_estimated', share / 1_000_000, looked)
  if (ones(truth) > 0)
    addRanking(
      figures,
      place,
      scoresOf(result, (row) => truth[row] === 1),
      scoresOf(result, (row) => truth[row] === 0),
    )
  addAlarm(figures, place, result)
}
