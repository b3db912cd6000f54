/**
 * What a detector is: one record, one file. A detector reads a corpus and gives each sample an integer score or abstains, flags
 * samples, and says in findings what it saw. The same corpus and parameters give the same result, to the bit for tier T0.
 */
import type { Parameter, Tier } from '../../core/documents/recipe.ts'
import type { Power } from '../../core/documents/report.ts'
import type { Finding, FindingProperty, FlagName } from '../../core/findings.ts'
import type { ImageTable } from '../images/imageTable.ts'
import type { NeighbourSearch } from '../knn/search.ts'
import type { VectorSource } from '../vectors.ts'
import type { Survey } from '../quality/survey.ts'

/** The samples of an index as detectors see them; sample numbers run from 0 to `count` − 1. */
export interface Corpus {
  readonly count: number
  /** The text of a sample as published; null where it has none. */
  text(sample: number): string | null
  /** The same text in canonical form (verifier/text/canonical.ts). */
  canonicalText(sample: number): string | null
  /** What answers the text where samples are pairs of an instruction and a response; null where there is none. */
  response(sample: number): string | null
  /** The class that the sample is labelled with; null where it has none. */
  label(sample: number): string | null
  /** What is seen of the samples' images; absent where no column holds images. */
  readonly images?: ImageTable
  /** The 32-byte digest of the whole row. */
  digest(sample: number): Uint8Array
  /** BCP 47 language and kind of text as declared in the manifest. */
  readonly language: string | null
  readonly domain: string | null
  /** What was seen of all columns while they were read; absent where only these were. */
  readonly survey?: Survey | undefined
  /** 32 bytes that depend on the samples alone (the root of the sample tree): the seed of everything that looks random. */
  readonly seed: Uint8Array
}

/** The neighbours of consecutive samples. */
export interface NeighbourBlock {
  first: number
  count: number
  /** count × k sample numbers; −1 where there are fewer. */
  samples: Int32Array
  /** count × k similarities in [−1, 1]. */
  similarities: Float32Array
}

/** The `k` nearest others of every sample by cosine similarity, nearest first, ties to the lower number. */
export interface Neighbours {
  readonly k: number
  /** In the order of the samples, all of them; as often as one likes. */
  blocks(): AsyncIterable<NeighbourBlock>
}

/**
 * What an inner layer of the model says of each sample: how a text is written stands there, what it is about in the embedding. A row is
 * the mean over the tokens of a sample, then the standard deviation, half of `dimensions` each; zeros where the sample has no text.
 */
export interface LayerStatistics extends VectorSource {
  readonly name: string
}

export interface Embeddings extends AsyncDisposable {
  /** One row a sample, of unit length; zeros where the sample has no text. */
  readonly vectors: VectorSource
  /** 1 for samples that were embedded. */
  readonly valid: Uint8Array
  /** Whether they are of the samples' images, not of their texts. */
  readonly ofImages?: boolean
  /** Inner layers in the order of the model; none unless they were asked for. */
  readonly layers?: readonly LayerStatistics[]
  /** Computed once for each search and shared by the detectors. */
  neighbours(search: NeighbourSearch): Promise<Neighbours>
}

/** A set of items on which models are measured, and which should not be trained on. */
export interface Benchmark {
  readonly name: string
  readonly corpus: Pick<Corpus, 'count' | 'text' | 'canonicalText'>
  /** Of the same model as those of the corpus, where there is one. */
  readonly embeddings?: Pick<Embeddings, 'vectors' | 'valid'>
}

/** Human texts of one language and kind, as an operator vouches for: what is like them is no finding. */
export interface Reference {
  /** `language/domain`, as manifests declare them, lower-case. */
  readonly cell: string
  readonly corpus: Pick<Corpus, 'count' | 'text' | 'canonicalText'>
  /** Of the same model as those of the corpus, where there is one. */
  readonly embeddings?: Pick<Embeddings, 'vectors' | 'valid' | 'layers'>
}

export interface DetectorContext {
  readonly corpus: Corpus
  /** Those that the recipe names, in its order; none unless given. */
  readonly benchmarks?: readonly Benchmark[]
  /** Those of the corpus's language and kind that the recipe names; none unless given, at least one where a detector needs them. */
  readonly references?: readonly Reference[]
  /** Given to detectors that need embeddings. */
  readonly embeddings?: Embeddings
  /** How far a similarity may be from what another honest verifier computes under the recipe, in millionths; 0 unless given. */
  readonly toleranceMillionths?: number
  /** As they stand in the recipe. */
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly signal: AbortSignal
  /** Share of the work that is done, 0 … 1. */
  readonly onProgress: (share: number) => void
}

export interface Scores {
  /** One integer a sample; its meaning is the detector's. */
  values: Int32Array
  /** 0 where the detector abstained. */
  valid: Uint8Array
}

export interface DetectorResult {
  ran: true
  /** What it could not look at, or what the figures rest on. */
  note?: string
  scores: Scores
  /** 1 for samples that get the detector's flag. */
  flagged: Uint8Array
  /** 1 for samples whose flag another honest verifier may set otherwise; none in tier T0. */
  borderline?: Uint8Array
  /** Where there are borderline samples and the detector decides: what it says with all of them counted out, and counted in. */
  extremes?: readonly Pick<DetectorResult, 'flagged' | 'pValue' | 'lowerBoundSamples' | 'findings'>[]
  /** The number of the cluster's kept sample; −1 where the sample is alone. */
  clusters?: Int32Array
  /** Most important first. */
  findings: Finding[]
  /**
   * Upper bound of the chance of an alarm at least this strong in clean data, over everything that the detector tried: 0 where a
   * flag is a fact (two equal rows), 1 where nothing was found. Absent in exploratory detectors, which never decide a property.
   */
  pValue?: number
  /** Samples that are affected with 95 % confidence; the flagged ones where a flag is a fact. */
  lowerBoundSamples?: number
  /** What would have been found: the minimum detectable rate of each attack family. Without it a detector that decides leaves doubt. */
  power?: Power[]
}

/** A detector that cannot run on this corpus says why, for a person. */
export interface DetectorAbstained {
  ran: false
  note: string
}

export interface Needs {
  readonly text?: boolean
  readonly image?: boolean
  readonly label?: boolean
  readonly embeddings?: boolean
  /** Inner layers of the embeddings, of the references' too. */
  readonly layers?: boolean
  readonly benchmarks?: boolean
  readonly references?: boolean
}

export interface Detector {
  readonly id: string
  readonly version: number
  readonly tier: Tier
  readonly property: FindingProperty
  /** What samples that it marks are flagged with; absent in detectors that speak of columns or of the whole. */
  readonly flag?: FlagName
  /** Where one is true and the corpus or the recipe lacks it, the detector is not run and the report says so. */
  readonly needs: Needs
  /** Whether it reads the survey of all columns, where there is one: then it is made. */
  readonly surveys?: true
  /** The recipe's defaults: integers, strings, booleans and lists of them. */
  readonly parameters: Readonly<Record<string, Parameter>>
  run(context: DetectorContext): Promise<DetectorResult | DetectorAbstained>
}

/** An integer parameter of a recipe. Throws a TypeError where the recipe has none of that name: the recipe is not ours. */
export function integerParameter(parameters: Readonly<Record<string, Parameter>>, name: string): number {
  const value = parameters[name]
  if (typeof value !== 'number') throw new TypeError(`the recipe gives no integer "${name}"`)
  return value
}

/** Scores of zero, every sample valid or none. */
export function createScores(count: number, valid: boolean): Scores {
  return { values: new Int32Array(count), valid: new Uint8Array(count).fill(valid ? 1 : 0) }
}

const EXCERPT_CHARACTERS = 200

/** The beginning of a text for evidence: at most 200 UTF-16 units, never half of a surrogate pair. */
export function excerpt(text: string): string {
  if (text.length <= EXCERPT_CHARACTERS) return text
  const end = EXCERPT_CHARACTERS - 1
  const last = text.charCodeAt(end - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end) + '…'
}

export const MAX_FINDING_SAMPLES = 20
