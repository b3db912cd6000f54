/** What a learner reaches on texts that it was not fitted on: ranking, and error rates and shares against human references. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import type { Learner, Scorer, Texts } from '../learners/learner.ts'
import { addRanking } from '../measures.ts'
import type { Figures, Place } from '../result.ts'
import { mean } from '../statistics/moments.ts'
import { createRandom } from '../../random.ts'
import { auroc, truePositiveRate } from '../statistics/roc.ts'
import { calibrate, meanAbsoluteError, REFERENCES } from './calibration.ts'
import { isHuman, isMachine, type Plan, plansOf } from './plans.ts'
import { kindOf, type PoolRow, type TextPool } from './textPool.ts'

const GROUP = 'text_synthetic'
const LONG_WORDS = 100
const FOLDS = 5
/** With fewer of a kind there is nothing to compare with. */
const LEAST_HUMANS = 40

/** Figures of a learner for every plan of the pool. */
export async function measureLearner(learner: Learner, texts: Texts, pool: TextPool, bench: Bench): Promise<void> {
  const { rows } = pool
  const means = createMeans()
  for (const plan of plansOf(rows, (row) => learner.takes(pool.canonicalText(row)))) {
    await nextTurn()
    bench.signal.throwIfAborted()
    bench.onStage(`${GROUP}/${plan.file} [${plan.slice}] ${learner.id}`)
    const start = performance.now()
    const scorer = learner.fit(texts, plan.fit, (row) => isMachine(rows[row]!))
    const fitted = performance.now()
    const scores = scorer.score(texts, plan.scored)
    const place: Place = { group: GROUP, file: plan.file, slice: plan.slice, detector: learner.id }
    const { figures } = bench
    figures.number(place, 'fit_seconds', (fitted - start) / 1000, plan.fit.length)
    figures.number(place, 'rows_per_second', (plan.scored.length * 1000) / Math.max(1e-6, performance.now() - fitted), plan.scored.length)
    const scored = createScored(plan.scored, scores, rows)
    figures.share(place, 'coverage', scored.count, plan.scored.length)
    measureScores(place, scored, bench)
    if (plan.family === null) {
      measureParts(place, scored, plan.scored, pool, bench)
      measureMixed(place, scored, scorer, texts, pool, bench)
    } else means.add({ ...place, slice: plan.family }, scored)
    const referred = scoredOnReferences(plan, scorer, texts, rows)
    if (referred === null) continue
    const withReferences = { ...place, slice: `${plan.slice}; references` }
    measureScores(withReferences, referred, bench)
    if (plan.family === null) measureParts(withReferences, referred, plan.scored, pool, bench)
    else means.add({ ...place, slice: `${plan.family}; references` }, referred)
  }
  means.give(bench)
}

/** Means over the values of a field that are left out one by one. */
function createMeans() {
  const lists = new Map<string, { place: Place; metric: string; values: number[] }>()
  return {
    add(place: Place, scored: Scored): void {
      for (const [metric, value] of Object.entries(summaryOf(scored))) {
        const key = `${place.file}\0${place.slice}\0${metric}`
        const list = lists.get(key) ?? { place, metric, values: [] }
        lists.set(key, list)
        list.values.push(value)
      }
    },
    give({ figures }: Bench): void {
      for (const { place, metric, values } of lists.values()) figures.number(place, metric, mean(values), values.length)
    },
  }
}

/** Scored rows with their scores. */
interface Scored {
  count: number
  scores(wanted: (row: PoolRow) => boolean): number[]
}

function createScored(numbers: readonly number[], scores: readonly (number | null)[], rows: readonly PoolRow[]): Scored {
  const known = numbers.flatMap((number, i) => {
    const score = scores[i]
    return score === null || score === undefined ? [] : [{ row: rows[number]!, score }]
  })
  return { count: known.length, scores: (wanted) => known.filter(({ row }) => wanted(row)).map(({ score }) => score) }
}

function summaryOf(scored: Scored): Record<string, number> {
  const [machines, humans] = [scored.scores(isMachine), scored.scores(isHuman)]
  const shares = {
    auroc: auroc(machines, humans),
    tpr_at_fpr_5: truePositiveRate(machines, humans, 0.05),
    tpr_at_fpr_1: truePositiveRate(machines, humans, 0.01),
  }
  return Object.fromEntries(Object.entries(shares).flatMap(([metric, share]) => (share === null ? [] : [[metric, share.value]])))
}

/** Ranking, and what comes of comparing with references of the scored texts' own kind. */
function measureScores(place: Place, scored: Scored, { figures }: Bench): void {
  const [machines, humans] = [scored.scores(isMachine), scored.scores(isHuman)]
  addRanking(figures, place, machines, humans)
  measureSetting(place, machines, humans, figures)
}

function measureSetting(place: Place, machines: readonly number[], humans: readonly number[], figures: Figures): void {
  const calibration = calibrate(humans, machines, `${place.file} ${place.slice}`)
  if (calibration === null) return
  const setting = { ...place, slice: `${place.slice}; ${calibration.references} references` }
  figures.share(setting, 'fpr_at_setting_1', calibration.humans.flagged, calibration.humans.tested)
  figures.share(setting, 'tpr_at_setting_1', calibration.machines.flagged, calibration.machines.tested)
  figures.number(setting, 'fraction_mae', meanAbsoluteError(calibration), calibration.fractions.n)
  figures.share(setting, 'fraction_lower_bound_holds', calibration.fractions.lowerBoundsThatHold, calibration.fractions.n)
}

/** By length, language, domain and generator; against references of one kind also what these say of it. */
function measureParts(place: Place, scored: Scored, numbers: readonly number[], pool: TextPool, { figures }: Bench): void {
  const parts: [string, (row: PoolRow) => boolean][] = [
    [`at least ${LONG_WORDS} words`, ({ words }) => words >= LONG_WORDS],
    [`fewer than ${LONG_WORDS} words`, ({ words }) => words < LONG_WORDS],
  ]
  const own = numbers.map((number) => pool.rows[number]!)
  for (const kind of new Set(own.map(kindOf))) parts.push([`kind=${kind.slice(kind.indexOf(':') + 1)}`, (row) => kindOf(row) === kind])
  const generators = new Set(own.filter(isMachine).map(({ generator }) => generator))
  if (generators.size > 1)
    for (const value of generators) parts.push([`generator=${value}`, (row) => isHuman(row) || row.generator === value])
  for (const [name, wanted] of parts) {
    const part = { ...place, slice: `${place.slice}; ${name}` }
    const [machines, humans] = [scored.scores((row) => isMachine(row) && wanted(row)), scored.scores((row) => isHuman(row) && wanted(row))]
    addRanking(figures, part, machines, humans)
    if (name.startsWith('kind=')) measureSetting(part, machines, humans, figures)
  }
}

/** Texts that a machine continued. */
function measureMixed(place: Place, scored: Scored, scorer: Scorer, texts: Texts, pool: TextPool, { figures }: Bench): void {
  const mixed = [...pool.rows.keys()].filter((row) => pool.rows[row]!.file === place.file && pool.rows[row]!.label === 'mixed')
  const mixedScores = scorer.score(texts, mixed).filter((score) => score !== null)
  addRanking(figures, { ...place, slice: `${place.slice}; mixed against human` }, mixedScores, scored.scores(isHuman))
}

/**
 * Scores against human references of each text's own kind, none of which it is: the human texts of a kind are parted into folds, and each fold is
 * scored with references of the others. Kinds of too few human texts are left out. Null where the scorer takes no references.
 */
function scoredOnReferences(plan: Plan, scorer: Scorer, texts: Texts, rows: readonly PoolRow[]): Scored | null {
  if (scorer.centredOn === undefined) return null
  const numbers: number[] = []
  const scores: (number | null)[] = []
  for (const [kind, own] of Map.groupBy(plan.scored, (row) => texts.kind(row))) {
    const random = createRandom(`references ${plan.file} ${plan.slice} ${kind}`)
    const folds = Array.from({ length: FOLDS }, (): number[] => [])
    for (const part of [own.filter((row) => isHuman(rows[row]!)), own.filter((row) => !isHuman(rows[row]!))])
      for (const [i, place] of random.choose(part.length, part.length).entries()) folds[i % FOLDS]!.push(part[place]!)
    const humans = own.filter((row) => isHuman(rows[row]!)).length
    if (humans < LEAST_HUMANS) continue
    for (const fold of folds) {
      const references = folds.filter((other) => other !== fold).flatMap((other) => other.filter((row) => isHuman(rows[row]!)))
      numbers.push(...fold)
      scores.push(...scorer.centredOn(texts, references.slice(0, REFERENCES)).score(texts, fold))
    }
  }
  return createScored(numbers, scores, rows)
}
