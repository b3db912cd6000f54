/**
 * A way to score texts that is fitted on examples: what a detector's weights are made with. The bench fits it anew for each part that it
 * leaves out, which a detector with its shipped weights does not allow.
 */
import type { Tier } from '../../../core/documents/recipe.ts'
import type { TextSource } from '../../embedding/embedder.ts'
import type { Matrix } from '../textVectors.ts'

/** Texts in the form that learners read them. */
export interface Texts extends TextSource {
  canonicalText(i: number): string
  /** Texts of one kind are of one file, language and domain. */
  kind(i: number): string
  /** Rows of an output of the embedder, for all texts. Only those that the learner names are there. */
  matrix(output: string): Matrix
}

export interface Learner {
  /** Of the detector that it is for, with what it reads where there are several: `synthetic_text`, `probe/embedding`. */
  readonly id: string
  readonly tier: Tier
  /** Outputs of the embedder that it reads. */
  readonly outputs: readonly string[]
  /** Whether a text is long enough for it. Those that are not are neither fitted on nor scored. */
  takes(canonicalText: string): boolean
  /** Fits on the texts `rows` of `texts`, of which `positive` tells the class. */
  fit(texts: Texts, rows: readonly number[], positive: (row: number) => boolean): Scorer
}

export interface Scorer {
  /** The score of each of `rows`, higher for more like a positive; null where the scorer abstains. */
  score(texts: Texts, rows: readonly number[]): (number | null)[]
  /** The same scorer with its features centred on texts that are known to be negatives of the kind that will be scored. */
  centredOn?(texts: Texts, references: readonly number[]): Scorer
}
