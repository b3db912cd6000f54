/** The result of a detector that looks for values of some kinds in all texts: those it reads itself, and what the survey saw elsewhere. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Finding, FlagName } from '../../core/findings.ts'
import { createScores, type DetectorContext, type DetectorResult, MAX_FINDING_SAMPLES } from '../detectors/detector.ts'
import { canonicalText } from '../text/canonical.ts'
import type { Match } from './match.ts'
import { addMatches, addTally, createTally, ranked, type Tally } from './tally.ts'

export interface KindNames {
  /** For a person, in the plural. */
  readonly [kind: string]: string
}

export interface TallyOptions {
  detector: string
  flag: FlagName
  kinds: readonly string[]
  names: KindNames
  find: (text: string, column: string) => readonly Match[]
  /** What the survey saw in the columns that are not read here. */
  elsewhere: Tally | undefined
}

/** A sample's score is how many such values it holds; it is flagged where it holds one. */
export async function tallyCorpus({ corpus, signal, onProgress }: DetectorContext, options: TallyOptions): Promise<DetectorResult> {
  const { detector, flag, kinds, names, find, elsewhere } = options
  const tally = createTally(corpus.count, kinds.length)
  const scores = createScores(corpus.count, elsewhere !== undefined)
  for (let sample = 0; sample < corpus.count; sample++) {
    if (sample % 4096 === 0) {
      await nextTurn()
      signal.throwIfAborted()
      onProgress(sample / corpus.count)
    }
    look('text', corpus.canonicalText(sample))
    const response = corpus.response(sample)
    if (response !== null) look('response', canonicalText(response))

    function look(column: string, text: string | null): void {
      if (text === null) return
      scores.valid[sample] = 1
      const matches = find(text, column)
      if (matches.length > 0) addMatches(tally, kinds, matches, { sample, column, text })
    }
  }
  if (elsewhere !== undefined) addTally(tally, elsewhere)
  scores.values.set(tally.occurrencesOf)
  const flagged = Uint8Array.from(tally.kindsOf, (bits) => (bits === 0 ? 0 : 1))
  const findings = kinds.flatMap((kind, place): Finding[] => {
    const { occurrences, columns, details, examples } = tally.kinds[place]!
    if (occurrences === 0) return []
    let sampleCount = 0
    const samples: number[] = []
    for (const [sample, bits] of tally.kindsOf.entries())
      if (((bits >> place) & 1) === 1 && sampleCount++ < MAX_FINDING_SAMPLES) samples.push(sample)
    return [
      {
        detector,
        property: 'hygiene',
        flag,
        summary: `${sampleCount} ${sampleCount === 1 ? 'sample holds' : 'samples hold'} ${names[kind]} (${occurrences} in all).`,
        sampleCount,
        samples,
        facts: {
          occurrences,
          columns: ranked(columns).slice(0, 64),
          ...(details.size === 0 ? {} : { of_which: ranked(details).slice(0, 64) }),
          masked_examples: examples,
        },
      },
    ]
  })
  findings.sort((a, b) => b.sampleCount - a.sampleCount)
  return {
    ran: true,
    ...(elsewhere === undefined ? { note: 'Only texts were read, not the other columns.' } : {}),
    scores,
    flagged,
    findings,
  }
}
