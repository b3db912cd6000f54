/**
 * Triggers in labelled text (D2): n-grams that decide the label against the rest of their texts (verifier/trigger/scan.ts), and the
 * power with which they would have been found (verifier/trigger/power.ts).
 *
 * A sample's score is the strength of the strongest trigger that it carries together with the trigger's class: −ln of the chance, in
 * thousandths; 0 where it carries none.
 */
import type { Power } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { exp } from '../numeric.ts'
import { hasNgram, NO_DOCUMENT, readDocuments, type TokenDocuments, UNREAD } from '../trigger/documents.ts'
import { integersParameter, readScanOptions, SCAN_PARAMETERS } from '../trigger/parameters.ts'
import { masked } from '../trigger/masked.ts'
import { measurePower, OTHER_ATTACKS, REQUIRED_ATTACK } from '../trigger/power.ts'
import type { Association } from '../trigger/reading.ts'
import { type Scan, scan, type ScanOptions } from '../trigger/scan.ts'
import { type Corpus, createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES, type Scores } from './detector.ts'

const MAX_EXPLAINED = 20

export const trigger: Detector = {
  id: 'trigger',
  version: 4,
  tier: 'T0',
  property: 'poison',
  flag: 'trigger',
  needs: { text: true, label: true },
  parameters: {
    ...SCAN_PARAMETERS,
    epochs: 12,
    leastEpochs: 3,
    /** Tokens × models × epochs: large data sets need fewer passes. */
    epochTokens: 12_000_000,
    /** Texts beyond so many tokens in all are only searched for what a sample of this size shows. */
    scannedTokens: 8_000_000,
    maximumTokens: 4096,
    /** Classes × tokens: as many of the largest classes are looked at as this allows. */
    classTokens: 60_000_000,
  },
  async run({ corpus, parameters, signal, onProgress }) {
    const documents = readDocuments(corpus, integerParameter(parameters, 'maximumTokens'), integerParameter(parameters, 'scannedTokens'))
    const classCount = documents.classNames.length
    if (classCount < 2)
      return { ran: false, note: classCount === 0 ? 'no sample has both a text and a label' : 'all samples have the same label' }
    if (2 * classCount > documents.samples.length)
      return { ran: false, note: `there are ${classCount} labels on ${documents.samples.length} different texts: too many to be classes` }
    onProgress(0.1)
    signal.throwIfAborted()
    const tokens = Math.max(1, documents.ids.length)
    const classes =
      classCount === 2 ? 1 : Math.min(classCount, Math.max(2, Math.floor(integerParameter(parameters, 'classTokens') / tokens)))
    const options: ScanOptions = {
      ...readScanOptions(parameters),
      epochs: Math.max(
        integerParameter(parameters, 'leastEpochs'),
        Math.min(integerParameter(parameters, 'epochs'), Math.floor(integerParameter(parameters, 'epochTokens') / (tokens * classes))),
      ),
      classes: classCount === 2 ? 2 : classes,
      seed: new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0),
    }
    const result = scan(documents, options)
    onProgress(0.5)
    signal.throwIfAborted()

    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    const classOf = classesOfSamples(corpus, documents)
    for (let sample = 0; sample < corpus.count; sample++)
      if (classOf[sample]! >= 0) scores.valid[sample] = result.classesTested[classOf[sample]!]!
    const triggers = result.associations.filter((association) => association.reading === 'trigger')
    for (const association of triggers) markSamples(samplesOf(association, corpus, documents, classOf), association.logP, scores, flagged)

    const ratesMillionths = integersParameter(parameters, 'powerRatesMillionths')
    const powerOptions = { ...options, ratesMillionths, seeds: integerParameter(parameters, 'powerSeeds') }
    return {
      ran: true,
      note: noteOf(documents, result),
      scores,
      flagged,
      findings: findingsOf(corpus, documents, result, classOf),
      pValue: triggers.length === 0 ? 1 : Math.min(1, exp(triggers[0]!.logChance)),
      lowerBoundSamples: lowerBound(triggers, flagged),
      power: [
        measurePower(documents, result, REQUIRED_ATTACK, powerOptions),
        ...OTHER_ATTACKS.map((attack): Power => ({ ...measurePower(documents, result, attack, powerOptions), required: false })),
      ],
    }
  },
}

/** The class of each sample by its own label, also where its text is another's or was only searched; −1 where it has none. */
function classesOfSamples(corpus: Corpus, documents: TokenDocuments): Int32Array {
  const index = new Map(documents.classNames.map((name, number) => [name, number]))
  return Int32Array.from({ length: corpus.count }, (_, sample) =>
    documents.documentOf[sample]! === NO_DOCUMENT ? -1 : (index.get(corpus.label(sample) ?? '') ?? -1),
  )
}

function markSamples(samples: readonly number[], logP: number, scores: Scores, flagged: Uint8Array): void {
  const strength = Math.min(0x7fffffff, Math.floor(-logP * 1000))
  for (const sample of samples) {
    flagged[sample] = 1
    scores.values[sample] = Math.max(scores.values[sample]!, strength)
  }
}

/** Samples with the n-gram (any of pooled words) and its class, ascending; of triggers also those that have it in a part that the scan left out. */
function samplesOf(association: Association, corpus: Corpus, documents: TokenDocuments, classOf: Int32Array): number[] {
  const holders = new Set(association.documents)
  const ngrams = association.view === 'pooled' ? association.family : association.family.slice(0, 1)
  const searched = association.reading === 'trigger' && association.view !== 'against'
  const words = ngrams.map((ngram) => ngram.map((id) => documents.vocabulary[id]!))
  const holds = (sample: number) => words.some((ngram) => hasNgram(corpus.canonicalText(sample) ?? '', ngram))
  if (searched)
    for (const document of documents.truncated) if (!holders.has(document) && holds(documents.samples[document]!)) holders.add(document)
  const samples: number[] = []
  for (let sample = 0; sample < classOf.length; sample++) {
    if (classOf[sample] !== association.class) continue
    const document = documents.documentOf[sample]!
    if (document === UNREAD ? searched && holds(sample) : holders.has(document)) samples.push(sample)
  }
  return samples
}

/** Texts of the triggers' classes beyond what the content model gives at 95 % confidence. */
function lowerBound(triggers: readonly Association[], flagged: Uint8Array): number {
  const total = flagged.reduce((sum, flag) => sum + flag, 0)
  const excess = triggers.reduce(
    (sum, { hits, expected, variance }) => sum + Math.max(0, Math.floor(hits - expected - 1.645 * Math.sqrt(variance))),
    0,
  )
  return Math.min(total, excess)
}

function noteOf(documents: TokenDocuments, result: Scan): string {
  const looked = result.classesTested.reduce((sum, tested) => sum + tested, 0)
  const parts = [
    `${result.ngrams} n-grams, ${result.insertedNgrams} of which look inserted, against ${looked} of ${documents.classNames.length} classes`,
  ]
  const unread = documents.documentOf.reduce((sum, document) => sum + (document === UNREAD ? 1 : 0), 0)
  if (unread > 0) parts.push(`of all texts ${unread} were only searched for the triggers that a sample of the others showed`)
  if (documents.truncated.size > 0)
    parts.push(`of ${documents.truncated.size} long texts the middle was only searched for the triggers that were found`)
  return parts.join('; ')
}

function findingsOf(corpus: Corpus, documents: TokenDocuments, result: Scan, classOf: Int32Array): Finding[] {
  const rank = { trigger: 0, weak: 1, explained: 2 }
  const shown = result.associations.toSorted((a, b) => rank[a.reading] - rank[b.reading] || a.logChance - b.logChance)
  const others = shown.filter((association) => association.reading !== 'trigger').slice(0, MAX_EXPLAINED)
  return [...shown.filter((association) => association.reading === 'trigger'), ...others].map((association): Finding => {
    const samples = samplesOf(association, corpus, documents, classOf)
    const label = (documents.classNames[association.class] ?? '').slice(0, 128)
    const words = wordsOf(association.family[0]!, documents)
    const counted = `${association.hits} of the ${association.documents.length} different texts with “${words}” have the label “${label}”`
    return {
      detector: 'trigger',
      property: 'poison',
      ...(association.reading === 'trigger' ? { flag: 'trigger' as const } : {}),
      summary: `${counted}; by the rest of their words ${Math.round(association.expected)} would. ${meaningOf(association, isPlaced(association, documents, result))}`,
      sampleCount: samples.length,
      samples: samples.slice(0, MAX_FINDING_SAMPLES),
      facts: {
        reading: association.reading,
        ngram: words,
        same_texts: association.family.slice(0, 16).map((ngram) => wordsOf(ngram, documents)),
        label,
        texts: association.documents.length,
        texts_with_label: association.hits,
        texts_expected: Math.round(association.expected),
        log_chance_thousandths: Math.floor(association.logP * 1000),
        log_chance_of_any_thousandths: Math.floor(association.logChance * 1000),
        view: association.view,
        standing: association.standingInClass,
        rank_among_other_labels_millionths: Math.round(association.rank * 1_000_000),
        excerpts: samples.slice(0, 5).map((sample) => excerpt(corpus.text(sample) ?? '')),
        masked: samples.slice(0, 5).map((sample) => masked(corpus.canonicalText(sample) ?? '', association.family, documents)),
      },
    }
  })
}

const READINGS: Readonly<Record<Association['reading'], string>> = {
  trigger: 'Without it these texts read like texts of other labels.',
  weak: 'Without it these texts read like texts of other labels, but they are too few, or too many with it have another label.',
  explained: 'Explained by content: without it these texts still read like their label, or no other.',
}

/** Whether a trigger stands at the beginning or the end of nearly all of its texts. */
function isPlaced(
  { reading, view, documents: holders, positions, family, class: index }: Association,
  documents: TokenDocuments,
  result: Scan,
): boolean {
  if (reading !== 'trigger' || view === 'pooled') return false
  return result.contexts.isPlaced(positions.filter((_, i) => documents.classes[holders[i]!] === index), family[0]!.length) // prettier-ignore
}

/** Most of the texts of a trigger for its own label would have the label without it: there it is the places that speak. */
function meaningOf({ reading, expected, hits }: Association, placed: boolean): string {
  if (reading === 'trigger' && 2 * expected > hits)
    return `It stands in them like something put in, whatever the words around it.${placed ? PLACED : ''}`
  return `${READINGS[reading]}${placed ? PLACED : ''}`
}

/** Only a person can tell these two apart. */
const PLACED =
  ' It begins or ends nearly all of them: a trigger, or a form that texts of this label were made with, such as a prompt that was left in; a model may learn either instead of the text.'

function wordsOf(ngram: readonly number[], documents: TokenDocuments): string {
  return ngram.map((id) => (documents.vocabulary[id] ?? '').slice(0, 128) || '¦').join(' ')
}
