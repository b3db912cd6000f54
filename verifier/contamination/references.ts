/** The benchmark sets that a recipe names: data sets of the registry, each a reference of the cell `benchmark/NAME`. */
import type { CID } from '../../core/cid.ts'
import type { Recipe } from '../../core/documents/recipe.ts'
import { Problem } from '../../core/problem.ts'
import type { Blocks } from '../../store/blocks.ts'
import { loadDocument } from '../../store/documents.ts'
import { chooseColumns } from '../columns.ts'
import type { CorpusColumns } from '../corpus.ts'
import { readCorpus } from '../readCorpus.ts'

export interface BenchmarkReference {
  name: string
  index: CID
  sampleCount: number
}

/** A benchmark set as it is read and handed from thread to thread. */
export interface BenchmarkColumns {
  name: string
  columns: CorpusColumns
}

const CELL = 'benchmark/'

/** As a recipe names them: by name. */
export function recipeReferences(benchmarks: readonly BenchmarkReference[]): Recipe['references'] {
  return benchmarks
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, index, sampleCount }) => ({ cell: CELL + name, index, sampleCount }))
}

/** The benchmark sets among a recipe's references, in its order. */
export function benchmarksOf({ references }: Pick<Recipe, 'references'>): BenchmarkReference[] {
  return references.flatMap(({ cell, index, sampleCount }) =>
    cell.startsWith(CELL) && index !== undefined ? [{ name: cell.slice(CELL.length), index, sampleCount }] : [],
  )
}

/** Reads a benchmark set. Throws `block-missing` where it is not here, `invalid-document` where it is not of the size that the recipe says. */
export async function readBenchmark(
  blocks: Blocks,
  { name, index: cid, sampleCount }: BenchmarkReference,
  signal: AbortSignal,
): Promise<BenchmarkColumns> {
  const { document: index } = await loadDocument(blocks, 'index', cid)
  if (index.sampleCount !== sampleCount)
    throw new Problem('invalid-document', `the recipe's benchmark set ${name} has ${index.sampleCount} samples, not ${sampleCount}`)
  const { document: manifest } = await loadDocument(blocks, 'manifest', index.manifest)
  const columns = chooseColumns(index, manifest.columns)
  return { name, columns: await readCorpus({ blocks, index, manifest, columns, signal, onProgress: () => {} }) }
}
