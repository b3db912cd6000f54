/**
 * Homogeneity (D7): texts that repeat one another's form. Openings and endings of eight tokens that at least `sharedMillionths` of the
 * samples have in common, lengths that stand out, phrases of assistants, and figures of diversity of a fixed amount of text
 * (verifier/homogeneity/diversity.ts) beside those of human references of this kind, where the recipe has them. A sample's score is how many
 * share its most frequent edge; it is flagged where those are enough. Exploratory: templates are made by people as well.
 *
 * Measured on 60,000 characters each: of human abstracts, news, reviews, stories and answers 1 to 5 % stand in runs of sixteen that another
 * text has, of those that models wrote to the same prompts 5 to 20 %; different word triples fall from .94 to .84 in abstracts, reviews
 * and answers, and not in stories and news. Instructions that a model made from seeds repeat 17 %, the seeds 5 %; the answers 4 % and 1 %.
 * News that quote one another repeat 20 % and were written by people: a figure says little without a reference of the same kind.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Finding } from '../../core/findings.ts'
import { type Diversity, measureDiversity } from '../homogeneity/diversity.ts'
import { lengthSpikes } from '../homogeneity/lengthSpikes.ts'
import { ASSISTANT_PHRASES, assistantPhrase } from '../homogeneity/phrases.ts'
import { drawTexts } from '../homogeneity/sampleTokens.ts'
import { type Edge, sharedEdges } from '../homogeneity/sharedEdges.ts'
import { canonicalText } from '../text/canonical.ts'
import { createScores, type Detector, type DetectorContext, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000
const EDGES: readonly Edge[] = ['opening', 'ending']

export const homogeneity: Detector = {
  id: 'homogeneity',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  flag: 'homogeneous',
  needs: { text: true },
  parameters: {
    sharedMillionths: 5000,
    leastShared: 10,
    /** Characters that figures of diversity are taken of, and draws from the references. */
    diversityCharacters: 60_000,
    referenceDraws: 8,
    /** Standard deviations of the draws by which a figure has to differ. */
    deviations: 6,
    findingsOfKind: 16,
  },
  async run(context) {
    const { corpus, signal, onProgress } = context
    const parameter = (name: string) => integerParameter(context.parameters, name)
    const least = Math.max(parameter('leastShared'), Math.ceil((corpus.count * parameter('sharedMillionths')) / MILLION))
    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    for (let sample = 0; sample < corpus.count; sample++) scores.valid[sample] = corpus.text(sample) === null ? 0 : 1
    const findings: Finding[] = []
    const parts = partsOf(context)
    for (const [number, part] of parts.entries()) {
      for (const edge of EDGES) {
        await nextTurn()
        signal.throwIfAborted()
        const shared = sharedEdges(corpus.count, part.canonical, edge, least).filter((one) => 2 * one.differentTexts >= least)
        for (const { samples } of shared)
          for (const sample of samples) {
            flagged[sample] = 1
            scores.values[sample] = Math.max(scores.values[sample]!, samples.length)
          }
        for (const { words, samples } of shared.slice(0, parameter('findingsOfKind')))
          findings.push(
            finding({
              flag: 'homogeneous',
              summary: `${samples.length} of ${corpus.count} ${part.name} have the same ${edge}: “${excerpt(words)}”.`,
              samples,
              facts: { [edge]: excerpt(words), different_texts_at_least: least },
            }),
          )
      }
      findings.push(...lengthFindings(context, part, least).slice(0, parameter('findingsOfKind')), ...phraseFindings(context, part, least))
      findings.push(...diversityFindings(context, part))
      onProgress((number + 1) / parts.length)
    }
    return { ran: true, scores, flagged, findings: findings.sort((a, b) => Number(b.flag !== undefined) - Number(a.flag !== undefined)) }
  },
}

/** Texts that are compared among themselves. */
interface Part {
  /** For a person, in the plural. */
  name: string
  raw: (sample: number) => string | null
  canonical: (sample: number) => string | null
}

function partsOf({ corpus }: DetectorContext): Part[] {
  const texts: Part = { name: 'texts', raw: (sample) => corpus.text(sample), canonical: (sample) => corpus.canonicalText(sample) }
  const canonical = (sample: number) => {
    const response = corpus.response(sample)
    return response === null ? null : canonicalText(response)
  }
  const responses: Part = { name: 'responses', raw: (sample) => corpus.response(sample), canonical }
  for (let sample = 0; sample < corpus.count; sample++) if (corpus.response(sample) !== null) return [texts, responses]
  return [texts]
}

function finding({ samples, ...rest }: Pick<Finding, 'summary' | 'samples' | 'facts' | 'flag'>): Finding {
  return {
    detector: 'homogeneity',
    property: 'hygiene',
    ...rest,
    sampleCount: samples.length,
    samples: samples.slice(0, MAX_FINDING_SAMPLES),
  }
}

function lengthFindings({ corpus }: DetectorContext, { name, raw }: Part, least: number): Finding[] {
  return lengthSpikes(corpus.count, (sample) => raw(sample)?.length ?? -1, least).flatMap(({ length, count, expected }): Finding[] => {
    const samples: number[] = []
    const different = new Set<string>()
    for (let sample = 0; sample < corpus.count; sample++) {
      const text = raw(sample)
      if (text?.length !== length) continue
      samples.push(sample)
      if (different.size < least) different.add(text)
    }
    // Copies of one text have one length: that is another finding.
    if (2 * different.size < least) return []
    return [
      finding({
        summary: `${count} of ${corpus.count} ${name} have exactly ${length} characters, where the lengths beside it have about ${Math.ceil(expected)} each: cut at a limit, or made to measure.`,
        samples,
        facts: { length, texts: count, expected: Math.ceil(expected) },
      }),
    ]
  })
}

function phraseFindings({ corpus }: DetectorContext, { name, raw }: Part, least: number): Finding[] {
  const samples: number[] = []
  const counts = new Uint32Array(ASSISTANT_PHRASES.length)
  for (let sample = 0; sample < corpus.count; sample++) {
    const phrase = assistantPhrase(raw(sample) ?? '')
    if (phrase < 0) continue
    samples.push(sample)
    counts[phrase]!++
  }
  if (samples.length < least) return []
  return [
    finding({
      summary: `${samples.length} of ${corpus.count} ${name} begin or end with a phrase that assistants use.`,
      samples,
      facts: {
        phrases: [...counts.keys()]
          .filter((phrase) => counts[phrase]! > 0)
          .sort((a, b) => counts[b]! - counts[a]! || a - b)
          .map((phrase) => `“${ASSISTANT_PHRASES[phrase]}” × ${counts[phrase]}`),
      },
    }),
  ]
}

interface Figure {
  name: string
  /** Whether more or less of it means more alike; null where it is either way. */
  alike: 'more' | 'less' | null
  of: (diversity: Diversity) => number | null
}

const FIGURES: readonly Figure[] = [
  { name: 'different words by all', alike: 'less', of: ({ distinct }) => distinct[0] },
  { name: 'different word pairs by all', alike: 'less', of: ({ distinct }) => distinct[1] },
  { name: 'different word triples by all', alike: 'less', of: ({ distinct }) => distinct[2] },
  { name: 'characters in runs of sixteen that an earlier text has', alike: 'more', of: ({ repeated }) => repeated },
  { name: "Zipf's slope", alike: null, of: ({ zipfSlope }) => zipfSlope },
  { name: 'overlap with the nearest text', alike: 'more', of: ({ nearestOverlap }) => nearestOverlap },
]

/** The figures, and which of them no human texts of this kind reach. */
function diversityFindings({ corpus, references = [], parameters }: DetectorContext, { name, canonical }: Part): Finding[] {
  const characters = integerParameter(parameters, 'diversityCharacters')
  const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
  const drawn = drawTexts(corpus.count, canonical, characters, seed)
  // Of less text the figures are others.
  if (drawn.characters < characters || drawn.texts.length < 2) return []
  const own = measureDiversity(drawn)
  const reference = name === 'texts' ? references[0] : undefined
  const draws = Array.from({ length: reference === undefined ? 0 : integerParameter(parameters, 'referenceDraws') }, (_, draw) =>
    drawTexts(reference!.corpus.count, (sample) => reference!.corpus.canonicalText(sample), characters, seed + draw + 1),
  )
  const theirs = draws.some((draw) => draw.characters < characters) ? [] : draws.map(measureDiversity)
  const deviations = integerParameter(parameters, 'deviations')
  const facts: Record<string, string> = {}
  const beyond: string[] = []
  for (const { name: figure, alike, of } of FIGURES) {
    const value = of(own)
    if (value === null) continue
    facts[figure] = value.toFixed(3)
    const compared = theirs.map(of).filter((one) => one !== null)
    if (compared.length < 2) continue
    const mean = compared.reduce((sum, one) => sum + one, 0) / compared.length
    const spread = Math.sqrt(compared.reduce((sum, one) => sum + (one - mean) * (one - mean), 0) / (compared.length - 1))
    facts[figure] += `; human texts of this kind ${mean.toFixed(3)} ± ${spread.toFixed(3)}`
    const excess = alike === null ? 0 : alike === 'more' ? value - mean : mean - value
    if (excess > deviations * Math.max(spread, mean / 200)) beyond.push(figure)
  }
  const summary =
    beyond.length === 0
      ? `Diversity of ${characters} characters of the ${name}: ${FIGURES.flatMap((figure) => (facts[figure.name] === undefined ? [] : [`${figure.name} ${facts[figure.name]!.split(';')[0]}`])).join(', ')}.`
      : `The ${name} are more alike than human texts of this kind (${reference?.cell}) by: ${beyond.join(', ')}.`
  return [finding({ summary, samples: [], facts })]
}
