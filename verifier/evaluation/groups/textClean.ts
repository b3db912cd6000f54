/** Clean labelled texts: false alarms as they are; and what is found of hidden characters, triggers, copies and wrong labels put into them. */
import { alarms, type Bench, detectorsOf, type Group, ones, readsText, run, subjectOf } from '../bench.ts'
import type { Detector } from '../../detectors/detector.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import type { EvalRow } from '../evalRow.ts'
import { DRESS_ATTACKS, REWORDING_ATTACKS } from '../../injection/copies.ts'
import { HIDDEN_ATTACKS } from '../../injection/hidden.ts'
import { createRandom } from '../../random.ts'
import { injectCopies } from '../injection/duplicates.ts'
import { flipLabels } from '../injection/labels.ts'
import { injectValues, PRIVATE_VALUES } from '../injection/privateValues.ts'
import { injectTrigger, TRIGGER_ATTACKS } from '../injection/triggers.ts'
import { addAlarm, addLabelErrors, addRetrieval } from '../measures.ts'
import { contentHash } from '../split.ts'

const GROUP = 'text_clean'
const HIDDEN_ROWS = 1000
const COPY_SHARE = 0.05
const VALUE_SHARE = 0.05
const FLIP_RATE = 0.05
const FLIP_SEEDS = 3
/** Detectors on embeddings take minutes for twenty seeds. */
const EMBEDDING_SEEDS = 2
/** Share of a seed's poisoned rows that have to be flagged for the seed to count as found. */
const FOUND = 0.95

export const textClean: Group = {
  name: GROUP,
  async evaluate(files, bench) {
    const alarmsOf = new Map<string, boolean[]>()
    for (const { name, rows } of files) {
      await measureClean(name, rows, bench, alarmsOf)
      await measureHidden(name, rows, bench)
      await measureCopies(name, rows, bench)
      await measureFlips(name, rows, bench)
      await measureTriggers(name, rows, bench)
      await measureHygiene(name, rows, bench)
    }
    for (const [detector, fired] of alarmsOf)
      bench.figures.share({ group: GROUP, file: '*', slice: 'clean', detector }, 'alarm', fired.filter(Boolean).length, fired.length)
  },
}

/** Everything that is flagged in clean data: false, or in duplicates a fact about the data. */
async function measureClean(file: string, rows: readonly EvalRow[], bench: Bench, alarmsOf: Map<string, boolean[]>): Promise<void> {
  const subject = subjectOf(corpusOfRows(rows), bench)
  for (const property of ['hidden_content', 'poison', 'label_quality', 'duplication'] as const)
    for (const detector of detectorsOf(bench, property)) {
      const place = { group: GROUP, file, slice: 'clean', detector: detector.id }
      const result = await run(bench, detector, subject, place)
      if (result === null) continue
      bench.figures.share(place, property === 'duplication' ? 'flagged' : 'row_fpr', ones(result.flagged), rows.length)
      addAlarm(bench.figures, place, result)
      const alarm = alarms(result)
      if (alarm === null || property === 'duplication') continue
      alarmsOf.set(detector.id, [...(alarmsOf.get(detector.id) ?? []), alarm])
    }
}

async function measureHidden(file: string, rows: readonly EvalRow[], bench: Bench): Promise<void> {
  const detectors = detectorsOf(bench, 'hidden_content')
  for (const attack of HIDDEN_ATTACKS) {
    const random = createRandom(`hidden ${attack.name}`)
    const attacked = random.choose(HIDDEN_ROWS, rows.length).flatMap((row) => {
      const { text, label } = rows[row]!
      const changed = text === null ? null : attack.apply(text, random)
      return changed === null || changed === text ? [] : [{ text: changed, label }]
    })
    const subject = subjectOf(corpusOfRows(attacked), bench)
    for (const detector of detectors) {
      const place = { group: GROUP, file, slice: `hidden=${attack.name}`, detector: detector.id }
      const result = await run(bench, detector, subject, place, { measured: false })
      if (result !== null) bench.figures.share(place, 'row_tpr', ones(result.flagged), attacked.length)
    }
  }
}

async function measureCopies(file: string, rows: readonly EvalRow[], bench: Bench): Promise<void> {
  // Copies that are there already would count as false ones.
  const distinct = [...new Map(rows.map((row) => [contentHash(row.text ?? row.id), row])).values()]
  for (const attack of [...DRESS_ATTACKS, ...REWORDING_ATTACKS]) {
    const { rows: injected, copied } = injectCopies(distinct, attack, COPY_SHARE, 0)
    const subject = subjectOf(corpusOfRows(injected), bench)
    for (const detector of detectorsOf(bench, 'duplication')) {
      const place = { group: GROUP, file, slice: `copies=${attack.name}`, detector: detector.id }
      const result = await run(bench, detector, subject, place, { measured: false })
      if (result !== null) addRetrieval(bench.figures, place, result.flagged, copied)
    }
  }
}

async function measureFlips(file: string, rows: readonly EvalRow[], bench: Bench): Promise<void> {
  const detectors = detectorsOf(bench, 'label_quality')
  for (let seed = 0; seed < FLIP_SEEDS && detectors.length > 0; seed++) {
    const { rows: injected, flipped } = flipLabels(rows, FLIP_RATE, seed)
    const subject = subjectOf(corpusOfRows(injected), bench)
    for (const detector of detectors) {
      const place = { group: GROUP, file, slice: `labels flipped rate=${FLIP_RATE} seed=${seed}`, detector: detector.id }
      const result = await run(bench, detector, subject, place)
      if (result === null) continue
      addLabelErrors(bench.figures, place, result, flipped)
    }
  }
}

async function measureTriggers(file: string, rows: readonly EvalRow[], bench: Bench): Promise<void> {
  for (const detector of detectorsOf(bench, 'poison').filter(({ needs }) => needs.label === true))
    for (const attack of TRIGGER_ATTACKS) await measureTrigger(file, rows, bench, detector, attack)
}

async function measureTrigger(
  file: string,
  rows: readonly EvalRow[],
  bench: Bench,
  detector: Detector,
  attack: (typeof TRIGGER_ATTACKS)[number],
): Promise<void> {
  const seeds = detector.needs.embeddings === true ? Math.min(bench.seeds, EMBEDDING_SEEDS) : bench.seeds
  const place = { group: GROUP, file, slice: `trigger=${attack.name} rate=${attack.rate}`, detector: detector.id }
  const found: number[] = []
  let [hitsOfAll, poisonedOfAll, falselyFlagged] = [0, 0, 0]
  for (let seed = 0; seed < seeds; seed++) {
    const injected = injectTrigger(rows, attack, seed)
    if (injected === null) return bench.figures.skip(`${GROUP}/${file}: too few rows or classes for the trigger "${attack.name}"`)
    const { poisoned } = injected
    const result = await run(bench, detector, subjectOf(corpusOfRows(injected.rows), bench), place, {
      parameters: { powerRatesMillionths: [] },
      measured: false,
    })
    if (result === null) return
    const hits = result.flagged.filter((flag, row) => flag === 1 && poisoned[row] === 1).length
    found.push(hits / ones(poisoned))
    hitsOfAll += hits
    poisonedOfAll += ones(poisoned)
    falselyFlagged += ones(result.flagged) - hits
  }
  bench.figures.share(place, 'seeds_found', found.filter((share) => share >= FOUND).length, found.length)
  bench.figures.share(place, 'row_tpr', hitsOfAll, poisonedOfAll)
  bench.figures.share(place, 'row_fpr', falselyFlagged, seeds * rows.length - poisonedOfAll)
}

/** What is flagged as it is, and what is found of personal data and secrets put in: rows that are flagged as they are do not count. */
async function measureHygiene(file: string, rows: readonly EvalRow[], bench: Bench): Promise<void> {
  const detectors = bench.detectors.filter(({ property, needs }) => property === 'hygiene' && readsText(needs))
  const subject = subjectOf(corpusOfRows(rows), bench)
  const flaggedBefore = new Map<string, Uint8Array>()
  for (const detector of detectors) {
    const place = { group: GROUP, file, slice: 'clean', detector: detector.id }
    const result = await run(bench, detector, subject, place)
    if (result === null) continue
    bench.figures.share(place, 'flagged', ones(result.flagged), rows.length)
    bench.figures.number(place, 'findings', result.findings.length, 1)
    flaggedBefore.set(detector.id, result.flagged)
  }
  for (const value of PRIVATE_VALUES) {
    const detector = detectors.find(({ id }) => id === value.detector)
    const before = flaggedBefore.get(value.detector)
    if (detector === undefined || before === undefined) continue
    const { rows: injected, holds } = injectValues(rows, value, VALUE_SHARE, createRandom(`value ${value.name}`))
    const place = { group: GROUP, file, slice: `holds=${value.name}`, detector: detector.id }
    const result = await run(bench, detector, subjectOf(corpusOfRows(injected), bench), place, { measured: false })
    if (result !== null) addRetrieval(bench.figures, place, result.flagged, holds, (row) => before[row] === 0)
  }
}
