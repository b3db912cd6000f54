/** The score of the detector `synthetic_text_embedding` as a learner: the same layers, probe, fit and score. */
import { scoreText } from '../../detectors/syntheticText.ts'
import { fitDiscriminant } from '../../synthetic/discriminant.ts'
import { STYLE_LAYERS } from '../../synthetic/discriminantFile.ts'
import { fitProbe } from '../../synthetic/fitProbe.ts'
import { createProbe } from '../../synthetic/probe.ts'
import { createStyleScorer, type StyleRows, type StyleScorer } from '../../synthetic/styleScore.ts'
import { countWords, LEAST_WORDS } from '../../synthetic/windows.ts'
import type { Learner, Scorer, Texts } from './learner.ts'

const OUTPUTS = STYLE_LAYERS.map((name) => `layer/${name}`)

export const syntheticTextEmbeddingLearner: Learner = {
  id: 'synthetic_text_embedding',
  tier: 'T1',
  outputs: OUTPUTS,
  takes: (text) => countWords(text) >= LEAST_WORDS,
  fit(texts, rows, positive) {
    const examples = rows.map((row) => ({ row, machine: positive(row), kind: texts.kind(row) }))
    const discriminants = OUTPUTS.map((output) => fitDiscriminant(texts.matrix(output), examples))
    const probe = createProbe(fitProbe(rows.map((row) => ({ canonicalText: texts.canonicalText(row), machine: positive(row) }))))
    const spelt = new Map<number, number | null>()
    const probeScore = (scored: Texts, row: number) => {
      let score = spelt.get(row)
      if (score === undefined) spelt.set(row, (score = scoreText(probe, scored.canonicalText(row))?.score ?? null))
      return score
    }
    const rowsOf = (scored: Texts): StyleRows => ({
      layers: OUTPUTS.map((output) => scored.matrix(output)),
      probe: (row) => probeScore(scored, row) ?? 0,
    })
    const withScorer = (style: StyleScorer): Scorer => ({
      score: (scored, wanted) => {
        const styleRows = rowsOf(scored)
        return wanted.map((row) => (probeScore(scored, row) === null ? null : style.score(styleRows, row)))
      },
      centredOn: (scored, references) =>
        withScorer(createStyleScorer(discriminants, rowsOf(scored), references.filter((row) => probeScore(scored, row) !== null))), // prettier-ignore
    })
    return withScorer(createStyleScorer(discriminants, rowsOf(texts), []))
  },
}
