/**
 * Triggers in texts without labels: a string that comes again in several texts, each of which goes astray after it
 * (verifier/trigger/continuations.ts). It is the absolute number of such texts that counts, not their share.
 */
import type { Finding } from '../../core/findings.ts'
import { exp, ln } from '../numeric.ts'
import { type ContinuationOptions, type Continuations, gammaTail, scanContinuations, type Turning } from '../trigger/continuations.ts'
import { hasNgram, NO_DOCUMENT, readDocuments, type TokenDocuments, UNREAD } from '../trigger/documents.ts'
import { CONTEXT_PARAMETERS, integersParameter, readContextOptions, share } from '../trigger/parameters.ts'
import { type Corpus, createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

export const triggerUnlabelled: Detector = {
  id: 'trigger_unlabelled',
  version: 2,
  tier: 'T0',
  property: 'poison',
  flag: 'trigger',
  needs: { text: true },
  parameters: {
    alphaMillionths: 10_000,
    minimumSupport: 6,
    window: 30,
    leastWindow: 8,
    purityMillionths: 700_000,
    astrayMillionths: 800_000,
    referencePlaces: 50_000,
    sameTextsMillionths: 800_000,
    mostFindings: 100,
    pairWeightMillionths: 660_000,
    wordWeightMillionths: 340_000,
    ...CONTEXT_PARAMETERS,
    /** Shorter texts have no room for a continuation. */
    leastMeanTokens: 24,
    maximumTokens: 4096,
    scannedTokens: 8_000_000,
    powerRatesMillionths: [100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 100_000],
  },
  async run({ corpus, parameters, signal, onProgress }) {
    const classes = labelsOf(corpus)
    if (classes > 1) return { ran: false, note: `the texts have ${classes} labels: the scan of labelled text looks at them` }
    const documents = readDocuments(
      textsOf(corpus),
      integerParameter(parameters, 'maximumTokens'),
      integerParameter(parameters, 'scannedTokens'),
    )
    const count = documents.samples.length
    if (count === 0) return { ran: false, note: 'no sample has a text' }
    const mean = Math.floor((documents.ids.length - 2 * count) / count)
    if (mean < integerParameter(parameters, 'leastMeanTokens'))
      return { ran: false, note: `texts of ${mean} words and marks on average are too short to go astray after a string` }
    onProgress(0.3)
    signal.throwIfAborted()
    const options: ContinuationOptions = {
      minimumSupport: integerParameter(parameters, 'minimumSupport'),
      logAlpha: ln(integerParameter(parameters, 'alphaMillionths') / 1_000_000),
      window: integerParameter(parameters, 'window'),
      leastWindow: integerParameter(parameters, 'leastWindow'),
      purity: share(parameters, 'purity'),
      astray: share(parameters, 'astray'),
      referencePlaces: integerParameter(parameters, 'referencePlaces'),
      sameTexts: share(parameters, 'sameTexts'),
      mostTurnings: integerParameter(parameters, 'mostFindings'),
      pairWeight: share(parameters, 'pairWeight'),
      wordWeight: share(parameters, 'wordWeight'),
      ...readContextOptions(parameters),
    }
    const result = scanContinuations(documents, options)
    const scores = createScores(corpus.count, false)
    for (let sample = 0; sample < corpus.count; sample++) if (documents.documentOf[sample]! !== NO_DOCUMENT) scores.valid[sample] = 1
    const flagged = new Uint8Array(corpus.count)
    const findings = result.turnings.map((turning) => {
      const samples = samplesOf(turning, corpus, documents)
      for (const sample of samples) {
        flagged[sample] = 1
        scores.values[sample] = Math.max(scores.values[sample]!, Math.min(0x7fffffff, Math.floor(-turning.logP * 1000)))
      }
      return findingOf(corpus, documents, turning, samples)
    })
    return {
      ran: true,
      note: `${result.ngrams} n-grams of ${count} different texts`,
      scores,
      flagged,
      findings,
      pValue: result.turnings.length === 0 ? 1 : exp(result.turnings[0]!.logChance),
      lowerBoundSamples: Math.max(0, ...result.turnings.map((turning) => turning.documents.length)),
      power: [powerOf(result, count, options, integersParameter(parameters, 'powerRatesMillionths'))],
    }
  },
}

/** The smallest of the rates at which random words after a string would be chance enough. */
function powerOf(result: Continuations, count: number, options: ContinuationOptions, rates: readonly number[]) {
  const limit = options.logAlpha - ln(Math.max(1, result.ngrams))
  const found = rates.find((rate) => {
    const texts = Math.floor((count * rate) / 1_000_000)
    return texts >= options.minimumSupport && gammaTail(texts, texts * result.randomSurprise) < limit
  })
  return { attack: 'a string that random words follow', minimumRateMillionths: found ?? null }
}

/** The corpus with one label for all that have a text. */
function textsOf(corpus: Corpus): Corpus {
  return {
    count: corpus.count,
    text: (sample) => corpus.text(sample),
    canonicalText: (sample) => corpus.canonicalText(sample),
    response: (sample) => corpus.response(sample),
    label: () => '',
    digest: (sample) => corpus.digest(sample),
    language: corpus.language,
    domain: corpus.domain,
    seed: corpus.seed,
  }
}

/** How many labels there are, where half of the samples or more have one and there are few enough to be classes; else 0. */
function labelsOf(corpus: Corpus): number {
  const labels = new Set<string>()
  let labelled = 0
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = corpus.label(sample)
    if (label === null) continue
    labelled++
    labels.add(label)
  }
  return 2 * labelled < corpus.count || 2 * labels.size > labelled ? 0 : labels.size
}

/** Samples that go astray after the string; of those that the scan left out all that have it. */
function samplesOf(turning: Turning, corpus: Corpus, documents: TokenDocuments): number[] {
  const holders = new Set(turning.documents)
  const words = turning.family[0]!.map((id) => documents.vocabulary[id]!)
  return [...documents.documentOf.keys()].filter((sample) => {
    const document = documents.documentOf[sample]!
    return document === UNREAD ? hasNgram(corpus.canonicalText(sample) ?? '', words) : holders.has(document)
  })
}

function findingOf(corpus: Corpus, documents: TokenDocuments, turning: Turning, samples: readonly number[]): Finding {
  const words = (ids: Iterable<number>) => Array.from(ids, (id) => (documents.vocabulary[id] ?? '').slice(0, 64) || '¦').join(' ')
  const ngrams = turning.family.slice(0, 16).map(words)
  const place = (position: number, from: number, to: number) => excerpt(words(documents.ids.subarray(position + from, position + to)))
  return {
    detector: 'trigger_unlabelled',
    property: 'poison',
    flag: 'trigger',
    summary: `Of the ${turning.support} different texts with “${ngrams[0]}” ${turning.documents.length} read as usual before it and like no other text after it.`,
    sampleCount: samples.length,
    samples: samples.slice(0, MAX_FINDING_SAMPLES),
    facts: {
      ngram: ngrams[0]!,
      same_texts: ngrams,
      texts: turning.support,
      texts_astray: turning.documents.length,
      log_chance_thousandths: Math.floor(turning.logP * 1000),
      continuations: Array.from(turning.positions.slice(0, 5), (position) => place(position, 0, 20)),
      excerpts: samples.slice(0, 5).map((sample) => excerpt(corpus.text(sample) ?? '')),
    },
  }
}
