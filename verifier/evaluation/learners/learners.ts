/** The learners that the bench fits: those of the detectors, and a linear one on each output of the embedder. */
import type { Learner } from './learner.ts'
import { linearLearner } from './linear.ts'
import { syntheticTextLearner } from './syntheticText.ts'
import { syntheticTextEmbeddingLearner } from './syntheticTextEmbedding.ts'

/** Inner layers come first: where a text lacks them, its embedding is made with them in one go. */
export function learnersFor(outputs: readonly string[]): Learner[] {
  const layersFirst = outputs.toSorted((a, b) => Number(b.startsWith('layer/')) - Number(a.startsWith('layer/')))
  return [syntheticTextLearner, syntheticTextEmbeddingLearner, ...layersFirst.map((output) => linearLearner(output))]
}
