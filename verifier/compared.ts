/**
 * The data sets of the registry that a recipe names for others to be compared with: benchmark sets, of the cells `benchmark/NAME`, and human
 * texts, of the cells `language/domain`. A language tag has at most three letters before its first hyphen, so no cell is both.
 */
import type { CID } from '../core/cid.ts'
import type { Recipe } from '../core/documents/recipe.ts'
import { Problem } from '../core/problem.ts'
import type { Blocks } from '../store/blocks.ts'
import { loadDocument } from '../store/documents.ts'
import { chooseColumns } from './columns.ts'
import { createCorpus, hasText, type CorpusColumns } from './corpus.ts'
import type { Benchmark, Detector, Embeddings, Reference } from './detectors/detector.ts'
import { readCorpus } from './readCorpus.ts'
import { cellsOf, type KindOfText } from './references/cells.ts'
import type { EmbeddingSource } from './shards/storedEmbeddings.ts'

/** A data set as a recipe names it. */
export interface DataSetReference {
  cell: string
  index: CID
  sampleCount: number
}

/** A data set as it is read and handed from thread to thread. */
export interface ComparedColumns {
  cell: string
  columns: CorpusColumns
}

export interface ComparedSet extends ComparedColumns {
  index: CID
}

/** What detectors get of them. */
export interface Compared {
  benchmarks: Benchmark[]
  references: Reference[]
}

const BENCHMARK = 'benchmark/'

/** The cell of a benchmark set. */
export function benchmarkCell(name: string): string {
  return BENCHMARK + name
}

/** The data sets among a recipe's references, in its order. */
export function dataSetsOf({ references }: Pick<Recipe, 'references'>): DataSetReference[] {
  return references.flatMap(({ cell, index, sampleCount }) => (index === undefined ? [] : [{ cell, index, sampleCount }]))
}

export interface ChooseOptions {
  recipe: Pick<Recipe, 'references'>
  /** Of what is to be verified: nothing is compared with itself. */
  index: CID
  kind: KindOfText
  detectors: readonly Pick<Detector, 'needs'>[]
}

export interface Chosen {
  references: DataSetReference[]
  /** Why human texts are not among them, where that is not because the recipe has none. */
  withoutReferences?: string
}

/** Those that some detector compares with: all benchmark sets, and the human texts of the nearest cell. */
export function chooseCompared({ recipe, index, kind, detectors }: ChooseOptions): Chosen {
  const named = dataSetsOf(recipe)
  const benchmarks = detectors.some(({ needs }) => needs.benchmarks === true) ? named.filter(({ cell }) => cell.startsWith(BENCHMARK)) : []
  const humans = detectors.some(({ needs }) => needs.references === true) ? nearest(named, kind) : undefined
  const isItself = humans?.index.equals(index) === true
  return {
    references: [...benchmarks, ...(humans === undefined ? [] : [humans])].filter((reference) => !reference.index.equals(index)),
    ...(isItself ? { withoutReferences: `These texts are themselves the human reference for ${humans.cell}.` } : {}),
  }
}

function nearest(named: readonly DataSetReference[], kind: KindOfText): DataSetReference | undefined {
  for (const cell of cellsOf(kind)) {
    const found = named.find((reference) => reference.cell === cell)
    if (found !== undefined) return found
  }
  return undefined
}

/** Reads a data set. Throws `block-missing` where it is not here, `invalid-document` where it is not of the size that the recipe says. */
export async function readCompared(
  blocks: Blocks,
  { cell, index: cid, sampleCount }: DataSetReference,
  signal: AbortSignal,
): Promise<ComparedSet> {
  const { document: index } = await loadDocument(blocks, 'index', cid)
  if (index.sampleCount !== sampleCount)
    throw new Problem('invalid-document', `the recipe's data set for ${cell} has ${index.sampleCount} samples, not ${sampleCount}`)
  const { document: manifest } = await loadDocument(blocks, 'manifest', index.manifest)
  const texts = { ...chooseColumns(index, manifest.columns), image: null }
  return { cell, index: cid, columns: await readCorpus({ blocks, index, manifest, columns: texts, signal, onProgress: () => {} }) }
}

/** For detectors that need no embeddings. */
export function comparedOf(sets: readonly ComparedColumns[]): Compared {
  const compared: Compared = { benchmarks: [], references: [] }
  for (const { cell, columns } of sets) add(compared, cell, { corpus: createCorpus(columns) })
  return compared
}

export interface EmbedComparedOptions {
  /** Of each data set, by its index; undefined where there are no embeddings. */
  sourceOf: (index: CID) => EmbeddingSource | undefined
  /** Inner layers of the human texts too. */
  layers: boolean
  signal: AbortSignal
  /** The embeddings end with it. */
  owner: AsyncDisposableStack
}

/** With their embeddings, where they have texts. Throws `unavailable` where they cannot be had yet. */
export async function embedCompared(sets: readonly ComparedSet[], options: EmbedComparedOptions): Promise<Compared> {
  const { sourceOf, signal, owner } = options
  const compared: Compared = { benchmarks: [], references: [] }
  for (const { cell, index, columns } of sets) {
    const corpus = createCorpus(columns)
    const source = hasText(corpus) ? sourceOf(index) : undefined
    const layers = options.layers && !cell.startsWith(BENCHMARK)
    const embeddings = source === undefined ? undefined : owner.use(await source.embed(corpus, { layers, signal }))
    add(compared, cell, { corpus, ...(embeddings === undefined ? {} : { embeddings }) })
  }
  return compared
}

function add({ benchmarks, references }: Compared, cell: string, set: { corpus: Reference['corpus']; embeddings?: Embeddings }): void {
  if (cell.startsWith(BENCHMARK)) benchmarks.push({ name: cell.slice(BENCHMARK.length), ...set })
  else references.push({ cell, ...set })
}
