/** The probe of the detector `synthetic_text` as a learner: its own features, fit, windows and score. */
import { scoreText } from '../../detectors/syntheticText.ts'
import { fitProbe } from '../../synthetic/fitProbe.ts'
import { createProbe } from '../../synthetic/probe.ts'
import { countWords, LEAST_WORDS } from '../../synthetic/windows.ts'
import type { Learner } from './learner.ts'

export const syntheticTextLearner: Learner = {
  id: 'synthetic_text',
  tier: 'T0',
  outputs: [],
  takes: (text) => countWords(text) >= LEAST_WORDS,
  fit(texts, rows, positive) {
    const probe = createProbe(fitProbe(rows.map((row) => ({ canonicalText: texts.canonicalText(row), machine: positive(row) }))))
    return { score: (scored, wanted) => wanted.map((row) => scoreText(probe, scored.canonicalText(row))?.score ?? null) }
  },
}
