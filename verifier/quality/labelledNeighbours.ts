/** The nearest others with a label of each sample with one: what Datalab's `data_valuation` and `underperforming_group` go by. */
import type { Corpus, Embeddings } from '../detectors/detector.ts'
import type { NeighbourSearch } from '../knn/search.ts'

export interface LabelledNeighbours {
  /** Class of each sample; −1 where it has none. */
  classes: Int32Array
  classCount: number
  labelled: number
}

/** The classes of samples that were embedded. */
export function classesOf(corpus: Corpus, valid: Uint8Array): LabelledNeighbours {
  const classOf = new Map<string, number>()
  const classes = new Int32Array(corpus.count).fill(-1)
  let labelled = 0
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = valid[sample] ? corpus.label(sample) : null
    if (label === null) continue
    labelled++
    let index = classOf.get(label)
    if (index === undefined) classOf.set(label, (index = classOf.size))
    classes[sample] = index
  }
  return { classes, classCount: classOf.size, labelled }
}

/** Calls `visit` with each labelled sample and its `looked` nearest labelled others, nearest first; fewer where the search found fewer. */
export async function eachLabelledList(
  embeddings: Embeddings,
  search: NeighbourSearch,
  { classes, looked }: { classes: Int32Array; looked: number },
  visit: (sample: number, others: readonly number[]) => void,
): Promise<void> {
  for await (const { first, count, samples } of (await embeddings.neighbours(search)).blocks())
    for (let i = 0; i < count; i++) {
      if (classes[first + i]! < 0) continue
      const others: number[] = []
      for (let at = i * search.k; at < (i + 1) * search.k && others.length < looked; at++) {
        const other = samples[at]!
        if (other >= 0 && classes[other]! >= 0) others.push(other)
      }
      visit(first + i, others)
    }
}

/** Why labels are no classes that neighbours could share; null where they may be. */
export function whyNoClasses({ labelled, classCount }: LabelledNeighbours, least: number): string | null {
  if (labelled < least) return `${labelled} samples with a text and a label are too few.`
  if (classCount < 2) return 'All samples have the same label.'
  if (2 * classCount > labelled) return `There are ${classCount} labels on ${labelled} samples: too many to be classes.`
  return null
}
