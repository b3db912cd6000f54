/**
 * Synthetic text: learners fitted anew for each part that is left out, and detectors with the weights and references that they ship with.
 * Labels are `human`, `machine`, and `mixed` for texts that a machine continued, which are scored and never fitted on.
 */
import type { Group } from '../bench.ts'
import { measureCost } from '../synthetic/cost.ts'
import { measureLearner } from '../synthetic/learnerFigures.ts'
import { measureShippedDetectors } from '../synthetic/shippedFigures.ts'
import { createTextPool } from '../synthetic/textPool.ts'

export const textSynthetic: Group = {
  name: 'text_synthetic',
  async evaluate(files, bench) {
    const pool = createTextPool(files, bench.vectors)
    for (const learner of bench.learners) {
      bench.onStage(`${this.name} ${learner.id}: reading texts`)
      const texts = await pool.textsFor(learner, bench.signal)
      if (texts === null)
        bench.figures.skip(`${learner.id}: not run, because there is no output ${learner.outputs.join(', ')} of an embedder`)
      else await measureLearner(learner, texts, pool, bench)
    }
    await measureShippedDetectors(pool, bench)
    await measureCost(pool, bench)
  },
}
