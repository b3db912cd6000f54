/** Figures that several groups share: how rows that were flagged and scored agree with the rows that should have been. */
import { alarms, scoresOf } from './bench.ts'
import type { DetectorResult } from '../detectors/detector.ts'
import type { Figures, Place } from './result.ts'
import { confusion, f1, hitsAtK } from './statistics/retrieval.ts'
import { auroc, truePositiveRate } from './statistics/roc.ts'

/** How well scores rank positives above negatives. */
export function addRanking(figures: Figures, place: Place, positives: readonly number[], negatives: readonly number[]): void {
  figures.add(place, 'auroc', auroc(positives, negatives), positives.length + negatives.length)
  figures.add(place, 'tpr_at_fpr_5', truePositiveRate(positives, negatives, 0.05), positives.length)
  figures.add(place, 'tpr_at_fpr_1', truePositiveRate(positives, negatives, 0.01), positives.length)
}

/** Row figures of a detector that looks for the rows in `truth` (1 for those), and whether it raised the alarm. */
export function addRows(figures: Figures, place: Place, result: DetectorResult, truth: Uint8Array): void {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion(result.flagged, truth)
  figures.share(place, 'row_tpr', truePositives, truePositives + falseNegatives)
  figures.share(place, 'row_fpr', falsePositives, falsePositives + trueNegatives)
  addRanking(
    figures,
    place,
    scoresOf(result, (row) => truth[row] === 1),
    scoresOf(result, (row) => truth[row] === 0),
  )
  addAlarm(figures, place, result)
}

/** Whether the property would be flagged, and by how many findings that flag samples. */
export function addAlarm(figures: Figures, place: Place, result: DetectorResult): void {
  const alarm = alarms(result)
  if (alarm === null) return
  figures.number(place, 'alarm', alarm ? 1 : 0, 1)
  figures.number(place, 'flagging_findings', result.findings.filter(({ flag }) => flag !== undefined).length, 1)
}

/** Precision, recall and F1 of the flagged rows. */
export function addRetrieval(
  figures: Figures,
  place: Place,
  flagged: ArrayLike<number>,
  truth: ArrayLike<number>,
  counted?: (row: number) => boolean,
): void {
  const counts = confusion(flagged, truth, counted)
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = counts
  figures.share(place, 'precision', truePositives, truePositives + falsePositives)
  figures.share(place, 'recall', truePositives, truePositives + falseNegatives)
  figures.share(place, 'row_fpr', falsePositives, falsePositives + trueNegatives)
  const value = f1(counts)
  if (value !== null) figures.number(place, 'f1', value, truePositives + falsePositives + falseNegatives + trueNegatives)
}

/** All figures of a detector of wrong labels; `wrong` is 1 for rows whose label is. */
export function addLabelErrors(figures: Figures, place: Place, result: DetectorResult, wrong: Uint8Array): void {
  addRanking(
    figures,
    place,
    scoresOf(result, (row) => wrong[row] === 1),
    scoresOf(result, (row) => wrong[row] === 0),
  )
  addRetrieval(figures, place, result.flagged, wrong)
  addPrecisionAtK(figures, place, result, wrong)
  addAlarm(figures, place, result)
}

/** Precision among as many rows of highest score as there are rows to be found, and among 100. */
function addPrecisionAtK(figures: Figures, place: Place, result: DetectorResult, truth: Uint8Array): void {
  const rows = [...truth.keys()].filter((row) => result.scores.valid[row])
  const scores = rows.map((row) => result.scores.values[row]!)
  const isTrue = rows.map((row) => truth[row] === 1)
  const positives = isTrue.filter(Boolean).length
  for (const [metric, k] of [['precision_at_errors', positives] as const, ['precision_at_100', 100] as const]) {
    const { hits, of } = hitsAtK(scores, isTrue, k)
    figures.share(place, metric, hits, of)
  }
}
