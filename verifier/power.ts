/**
 * What would have been found, of attacks on single rows (MDPR, DETECTION.md §D6): samples that are drawn by the seed get the attack in a
 * scratch copy, and the detector's own rule is asked of each against the real data. The detectors that this is for raise the alarm at the
 * first row that they find: the least rate is that of as many rows as miss it all with a chance below 5 %.
 */
import type { Power } from '../core/documents/report.ts'
import type { Corpus } from './detectors/detector.ts'
import { ln } from './numeric.ts'
import { createRandom, type Random } from './random.ts'

const MILLION = 1_000_000
/** An attack of which so many rows are found is found by its first row. */
const SURE = 0.95
const LN_MISSED = ln(1 - SURE)

/** What detectors of single rows let a recipe say of it: rows that are drawn, and the characters that these may have together. */
export const ROW_POWER_PARAMETERS = { powerRows: 64, powerCharacters: 100_000 }

export interface RowAttack {
  name: string
  /** Told besides: a verdict does not ask for it. */
  required?: false
}

/** The numbers that look random of one purpose; they follow from the samples alone. */
export function powerRandom(corpus: Pick<Corpus, 'seed'>, purpose: string): Random {
  return createRandom(`power ${purpose} ${Buffer.from(corpus.seed).toString('hex')}`)
}

export interface DrawOptions {
  random: Random
  rows: number
  /** Of the texts together; the first that passes it is the last one drawn. */
  characters: number
}

/** Numbers below `count` whose text is not null, in the order drawn. */
export function drawTexts(count: number, textOf: (number: number) => string | null, { random, rows, characters }: DrawOptions): number[] {
  const having: number[] = []
  for (let i = 0; i < count; i++) if (textOf(i) !== null) having.push(i)
  const drawn: number[] = []
  let total = 0
  for (const choice of random.choose(rows, having.length)) {
    drawn.push(having[choice]!)
    total += textOf(having[choice]!)!.length
    if (total >= characters) break
  }
  return drawn
}

/** The least rate in `sampleCount` samples at which a row of the attack is found. */
export function powerOfRows({ name, required }: RowAttack, trials: { injected: number; found: number }, sampleCount: number): Power {
  const { injected, found } = trials
  if (injected === 0) return notMeasured(name, 'no sample that was drawn has a place for it')
  const share = found / injected
  const rows = share >= SURE ? 1 : share === 0 ? Infinity : Math.ceil(LN_MISSED / ln(1 - share))
  return {
    attack: name,
    minimumRateMillionths: rows > sampleCount ? null : Math.ceil((rows * MILLION) / sampleCount),
    ...(required === false ? { required } : {}),
    injectedSamples: injected,
    foundSamples: found,
  }
}

/** An attack that cannot be put into this data set, or not here; a verdict does not ask for it. */
export function notMeasured(attack: string, note: string): Power {
  return { attack, minimumRateMillionths: null, required: false, note }
}
