/** Which split a file belongs to, by its path, after the keywords of `datasets` (datasets/data_files.py); `train` where it says nothing. */
import type { SampleIndex } from '../documents/sampleIndex.ts'

const KEYWORDS: ReadonlyMap<string, string> = new Map([
  ...['train', 'training'].map((word) => [word, 'train'] as const),
  ...['validation', 'valid', 'dev', 'val'].map((word) => [word, 'validation'] as const),
  ...['test', 'testing', 'eval', 'evaluation'].map((word) => [word, 'test'] as const),
])
/** `data/NAME-00000-of-00001…` may name any split. */
const SHARDED = /(?:^|\/)data\/(\w+(?:\.\w+)*)-\d{5}-of-\d{5}[^/]*$/

export interface Split {
  name: string
  /** Samples from … to − 1, ascending. */
  ranges: { from: number; to: number }[]
  /** Of the files that these are. */
  paths: string[]
}

/** The split of one path. */
export function splitOf(path: string): string {
  return namedSplitOf(path) ?? 'train'
}

/** The split that a path names, its file name before its folders, the inner before the outer; null where it names none. */
export function namedSplitOf(path: string): string | null {
  const sharded = SHARDED.exec(path)?.[1]
  if (sharded !== undefined) return sharded
  for (const part of path.split('/').reverse())
    for (const word of part.split(/[-._ 0-9]+/)) {
      const split = KEYWORDS.get(word)
      if (split !== undefined) return split
    }
  return null
}

/** The splits of an index in the order of their first samples; one without samples is none. */
export function splitsOf(files: SampleIndex['files']): Split[] {
  const splits = new Map<string, Split>()
  for (const { path, firstSample, sampleCount } of files) {
    if (sampleCount === 0) continue
    const name = splitOf(path)
    const split = splits.get(name) ?? { name, ranges: [], paths: [] }
    splits.set(name, split)
    split.paths.push(path)
    const last = split.ranges.at(-1)
    if (last?.to === firstSample) last.to += sampleCount
    else split.ranges.push({ from: firstSample, to: firstSample + sampleCount })
  }
  return [...splits.values()]
}
