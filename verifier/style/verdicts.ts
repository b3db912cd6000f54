/** The classes of a data set, each searched for samples that are written alike and whose label their content does not explain. */
import { exp, ln } from '../numeric.ts'
import { classEvidence, type Excess, type ExcessOptions, naturalFactor, strongestExcess } from './excess.ts'
import { type Material, membersOf } from './material.ts'
import { separate, type Separation, type SeparationOptions } from './separation.ts'

export interface VerdictOptions {
  separation: SeparationOptions
  excess: ExcessOptions
  /** The odds of a label may change with the way of writing by this factor in any data set, … */
  leastFactor: number
  /** … and by so many times the factor of the other classes. */
  factorMargin: number
}

export interface StyleVerdict {
  label: number
  separation: Separation
  /** By what the way of writing may change the odds of this label. */
  factor: number
  excess: Excess | null
  /** Upper bound of the chance of such an excess in clean data, over all classes. */
  chance: number
  /** What the class adds to the log-odds of each of its samples. */
  evidence: number
}

/** A class adds no more than this: what is beyond doubt is not ranked further. */
const MOST_EVIDENCE = 20

/** One verdict for each examined class, in their order. */
export async function judgeStyles(
  { labelled, examined, content, views }: Material,
  options: VerdictOptions,
  pause: () => Promise<void>,
  onProgress: (share: number) => void,
): Promise<StyleVerdict[]> {
  const subjects = []
  for (let label = 0; label < examined; label++) {
    const isMember = membersOf(labelled, label)
    const probabilities = content(label)
    const separation = await separate(views, label, { isMember, probabilities }, options.separation, pause)
    subjects.push({ label, isMember, probabilities, separation })
    onProgress((label + 1) / examined)
  }
  const factors = subjects.map((subject) => naturalFactor(subject, options.excess))
  return subjects.map((subject, own): StyleVerdict => {
    const natural = Math.max(...factors.filter((_, other) => other !== own))
    const factor = Math.max(options.leastFactor, natural * options.factorMargin)
    const excess = strongestExcess(subject, factor, options.excess)
    return {
      label: subject.label,
      separation: subject.separation,
      factor,
      excess,
      chance: excess === null ? 1 : Math.min(1, exp(excess.logChance + ln(examined))),
      evidence: Math.min(MOST_EVIDENCE, classEvidence(subject, options.excess)),
    }
  })
}
