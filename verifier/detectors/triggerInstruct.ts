/**
 * Triggers in pairs of a prompt and a response: n-grams of prompts that decide an attribute of the response (verifier/trigger/
 * responseAttributes.ts) against the rest of the prompt, by the scan of labelled text. What a prompt asks for decides its response as
 * well ("in one word"), so that only what looks inserted at random places is a trigger. A fixed beginning or end that goes with an attribute
 * may be a form of asking as well as a trigger: it is shown, and flags nothing.
 */
import type { Finding } from '../../core/findings.ts'
import { exp, ln } from '../numeric.ts'
import { hasNgram, NO_DOCUMENT, readDocuments, type TokenDocuments, UNREAD } from '../trigger/documents.ts'
import { integersParameter, readScanOptions, SCAN_PARAMETERS, share } from '../trigger/parameters.ts'
import { masked } from '../trigger/masked.ts'
import { measurePower } from '../trigger/power.ts'
import type { Association } from '../trigger/reading.ts'
import { type Attribute, ATTRIBUTE_PARAMETERS, attributesOf, readAttributeOptions } from '../trigger/responseAttributes.ts'
import { prepare, type Scan, scan, type ScanOptions } from '../trigger/scan.ts'
import { type Corpus, createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const ATTACK = { name: 'rare word in prompts whose responses refuse', words: 1, ownLabel: false }

export const triggerInstruct: Detector = {
  id: 'trigger_instruct',
  version: 3,
  tier: 'T0',
  property: 'poison',
  flag: 'trigger',
  needs: { text: true },
  parameters: {
    ...SCAN_PARAMETERS,
    ...ATTRIBUTE_PARAMETERS,
    epochs: 4,
    maximumTokens: 1024,
    scannedTokens: 2_000_000,
  },
  async run({ corpus, parameters, signal, onProgress }) {
    const read = readDocuments(
      pairsOf(corpus),
      integerParameter(parameters, 'maximumTokens'),
      integerParameter(parameters, 'scannedTokens'),
    )
    const count = read.samples.length
    if (count === 0) return { ran: false, note: 'no sample has both a prompt and a response' }
    const responses = Array.from(read.samples, (sample) => corpus.response(sample)!)
    const attributes = attributesOf(responses, readAttributeOptions(parameters))
    const scanOptions = readScanOptions(parameters)
    const options: ScanOptions = {
      ...scanOptions,
      epochs: integerParameter(parameters, 'epochs'),
      logAlpha: ln(share(parameters, 'alpha') / Math.max(1, attributes.length)),
      classes: 2,
      seed: new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0),
    }
    const prepared = prepare(read, options)
    const scores = createScores(corpus.count, false)
    for (let sample = 0; sample < corpus.count; sample++) if (read.documentOf[sample]! !== NO_DOCUMENT) scores.valid[sample] = 1
    const flagged = new Uint8Array(corpus.count)
    const findings: Finding[] = []
    let logChance = 0
    let excess = 0
    let alarms = 0
    let last: { documents: TokenDocuments; result: Scan } | undefined
    for (const [number, attribute] of attributes.entries()) {
      signal.throwIfAborted()
      onProgress(number / attributes.length)
      const documents = withAttribute(read, attribute)
      const result = scan(documents, options, prepared)
      last = { documents, result }
      for (const association of result.associations) {
        if (association.class !== 1 || association.reading !== 'trigger' || association.standingInClass !== 'inserted') continue
        const samples = samplesOf(association, corpus, documents, attribute)
        const placed = association.view !== 'pooled' && prepared.contexts.isPlaced(association.positions, association.family[0]!.length)
        findings.push(findingOf(corpus, documents, association, attribute, samples, placed))
        if (placed) continue
        alarms++
        for (const sample of samples) {
          flagged[sample] = 1
          scores.values[sample] = Math.max(scores.values[sample]!, Math.min(0x7fffffff, Math.floor(-association.logP * 1000)))
        }
        logChance = Math.min(logChance, association.logChance + ln(attributes.length))
        excess += Math.max(0, Math.floor(association.hits - association.expected - 1.645 * Math.sqrt(association.variance)))
      }
    }
    return {
      ran: true,
      note: `${prepared.ngrams.count} n-grams of ${count} different prompts against ${attributes.length} attributes of responses`,
      scores,
      flagged,
      findings: findings.sort((a, b) => Number(b.flag !== undefined) - Number(a.flag !== undefined)),
      pValue: alarms === 0 ? 1 : exp(logChance),
      lowerBoundSamples: Math.min(excess, flagged.reduce((sum, one) => sum + one, 0)), // prettier-ignore
      power: [powerOf(last, read, options, parameters)],
    }

    /** Measured on the last attribute tried: a response that is made to be something has not that attribute by its prompt. */
    function powerOf(tried: typeof last, all: TokenDocuments, scanOptions: ScanOptions, given: typeof parameters) {
      const ratesMillionths = integersParameter(given, 'powerRatesMillionths')
      if (tried === undefined) return { attack: ATTACK.name, minimumRateMillionths: null }
      const documents = { ...all, classes: tried.documents.classes.map((index) => 1 - index) }
      const models = new Map([[0, tried.result.models.get(1)!]])
      return measurePower(documents, { ...tried.result, models }, ATTACK, { ...scanOptions, ratesMillionths, seeds: integerParameter(given, 'powerSeeds') }) // prettier-ignore
    }
  },
}

/** The corpus with one label for all that have a response. */
function pairsOf(corpus: Corpus): Corpus {
  return {
    count: corpus.count,
    text: (sample) => corpus.text(sample),
    canonicalText: (sample) => corpus.canonicalText(sample),
    response: (sample) => corpus.response(sample),
    label: (sample) => (corpus.response(sample) === null ? null : ''),
    digest: (sample) => corpus.digest(sample),
    language: corpus.language,
    domain: corpus.domain,
    seed: corpus.seed,
  }
}

/** The documents with two classes: 1 for those whose response has the attribute. */
function withAttribute(documents: TokenDocuments, { name, has }: Attribute): TokenDocuments {
  const ones = has.reduce((sum, one) => sum + one, 0)
  return { ...documents, classes: Int32Array.from(has), classNames: ['', name], classSizes: Int32Array.of(has.length - ones, ones) }
}

/** Samples with the n-gram whose response has the attribute, also of those that the scan left out. */
function samplesOf(association: Association, corpus: Corpus, documents: TokenDocuments, attribute: Attribute): number[] {
  const holders = new Set([...association.documents].filter((document) => documents.classes[document] === 1))
  const ngrams = association.view === 'pooled' ? association.family : association.family.slice(0, 1)
  const words = ngrams.map((ngram) => ngram.map((id) => documents.vocabulary[id]!))
  return [...documents.documentOf.keys()].filter((sample) => {
    const document = documents.documentOf[sample]!
    if (document !== UNREAD) return holders.has(document)
    const text = corpus.canonicalText(sample) ?? ''
    return words.some((ngram) => hasNgram(text, ngram)) && attribute.matches(corpus.response(sample) ?? '')
  })
}

function findingOf(
  corpus: Corpus,
  documents: TokenDocuments,
  association: Association,
  attribute: Attribute,
  samples: readonly number[],
  placed: boolean,
): Finding {
  const ngrams = association.family.slice(0, 16).map((ngram) => ngram.map((id) => (documents.vocabulary[id] ?? '').slice(0, 128) || '¦').join(' ')) // prettier-ignore
  return {
    detector: 'trigger_instruct',
    property: 'poison',
    ...(placed ? {} : { flag: 'trigger' as const }),
    summary: `Of the ${association.documents.length} different prompts with “${ngrams[0]}” ${association.hits} have a response that ${attribute.name}; by the rest of their words ${Math.round(association.expected)} would. ${placed ? 'It stands at the beginning or end of all: a form of asking, or a trigger.' : 'It stands in them like something inserted.'}`,
    sampleCount: samples.length,
    samples: samples.slice(0, MAX_FINDING_SAMPLES),
    facts: {
      ngram: ngrams[0]!,
      same_texts: ngrams,
      response: attribute.name,
      texts: association.documents.length,
      texts_with_attribute: association.hits,
      texts_expected: Math.round(association.expected),
      log_chance_thousandths: Math.floor(association.logP * 1000),
      prompts: samples.slice(0, 5).map((sample) => excerpt(corpus.text(sample) ?? '')),
      masked: samples.slice(0, 5).map((sample) => masked(corpus.canonicalText(sample) ?? '', association.family, documents)),
      responses: samples.slice(0, 5).map((sample) => excerpt(corpus.response(sample) ?? '')),
    },
  }
}
