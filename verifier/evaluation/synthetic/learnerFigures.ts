/** What a learner reaches on texts that it was not fitted on: ranking, and error rates and shares against human references. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import type { Learner, Scorer, Texts } from '../learners/learner.ts'
import { addRanking } from '../measures.ts'
import type { Place } from '../result.ts'
import { mean } from '../statistics/moments.ts'
import { createRandom } from '../statistics/random.ts'
import { auroc, truePositiveRate } from '../statistics/roc.ts'
import { calibrate, meanAbsoluteError, REFERENCES } from './calibration.ts'
import { isHuman, isMachine, type Plan, plansOf } from './plans.ts'
import type { PoolRow, TextPool } from './textPool.ts'

const GROUP = 'text_synthetic'
const LONG_WORDS = 100

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
    if (plan.family === null) measureParts(place, scored, scorer, texts, pool, bench)
    else means.add({ ...place, slice: plan.family }, scored)
    const centred = centredOnReferences(plan, scorer, texts, rows)
    if (centred === null) continue
    addRanking(
      figures,
      { ...place, slice: `${plan.slice}; ${centred.references} references` },
      centred.scores(isMachine),
      centred.scores(isHuman),
    )
    if (plan.family !== null) means.add({ ...place, slice: `${plan.family}; references` }, centred)
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
  const calibration = calibrate(humans, machines, `${place.file} ${place.slice}`)
  if (calibration === null) return
  const setting = { ...place, slice: `${place.slice}; ${calibration.references} references` }
  figures.share(setting, 'fpr_at_setting_1', calibration.humans.flagged, calibration.humans.tested)
  figures.share(setting, 'tpr_at_setting_1', calibration.machines.flagged, calibration.machines.tested)
  figures.number(setting, 'fraction_mae', meanAbsoluteError(calibration), calibration.fractions.n)
  figures.share(setting, 'fraction_lower_bound_holds', calibration.fractions.lowerBoundsThatHold, calibration.fractions.n)
}

/** By length, language and domain; and texts that a machine continued. */
function measureParts(place: Place, scored: Scored, scorer: Scorer, texts: Texts, pool: TextPool, { figures }: Bench): void {
  const parts: [string, (row: PoolRow) => boolean][] = [
    [`at least ${LONG_WORDS} words`, ({ words }) => words >= LONG_WORDS],
    [`fewer than ${LONG_WORDS} words`, ({ words }) => words < LONG_WORDS],
  ]
  const own = pool.rows.filter(({ file }) => file === place.file)
  for (const field of ['language', 'domain', 'generator'] as const) {
    const values = [...new Set(own.map((row) => row[field]))]
    if (values.length < 2) continue
    for (const value of values)
      if (field !== 'generator') parts.push([`${field}=${value}`, (row) => row[field] === value])
      else if (own.some((row) => row.generator === value && isMachine(row)))
        parts.push([`generator=${value}`, (row) => isHuman(row) || row.generator === value])
  }
  for (const [name, wanted] of parts) {
    const [machines, humans] = [scored.scores((row) => isMachine(row) && wanted(row)), scored.scores((row) => isHuman(row) && wanted(row))]
    addRanking(figures, { ...place, slice: `${place.slice}; ${name}` }, machines, humans)
  }
  const mixed = [...pool.rows.keys()].filter((row) => pool.rows[row]!.file === place.file && pool.rows[row]!.label === 'mixed')
  const mixedScores = scorer.score(texts, mixed).filter((score) => score !== null)
  addRanking(figures, { ...place, slice: `${place.slice}; mixed against human` }, mixedScores, scored.scores(isHuman))
}

/** Scores with features centred on human references of the scored texts' own kind, which are not scored then; null where the scorer cannot. */
function centredOnReferences(plan: Plan, scorer: Scorer, texts: Texts, rows: readonly PoolRow[]): (Scored & { references: number }) | null {
  if (scorer.centredOn === undefined) return null
  const humans = plan.scored.filter((row) => isHuman(rows[row]!))
  const references = Math.min(REFERENCES, Math.floor(humans.length / 2))
  const random = createRandom(`centre ${plan.file} ${plan.slice}`)
  const chosen = new Set(random.choose(references, humans.length).map((i) => humans[i]!))
  const tested = plan.scored.filter((row) => !chosen.has(row))
  return { references, ...createScored(tested, scorer.centredOn(texts, [...chosen]).score(texts, tested), rows) }
}
