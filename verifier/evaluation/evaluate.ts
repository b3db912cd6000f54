/** The bench as a function: which groups there are, and the figures of a folder of data. */
import type { Bench, Group } from './bench.ts'
import { readGroup } from './evalFile.ts'
import { contamination } from './groups/contamination.ts'
import { images } from './groups/images.ts'
import { instruct } from './groups/instruct.ts'
import { labelNoise } from './groups/labelNoise.ts'
import { textClean } from './groups/textClean.ts'
import { textPoison } from './groups/textPoison.ts'
import { textSynthetic } from './groups/textSynthetic.ts'

/** In the order in which they are run. */
export const GROUPS: readonly Group[] = [textPoison, textClean, instruct, contamination, labelNoise, images, textSynthetic]

export interface EvaluateOptions {
  dataDir: string
  /** Names of groups; all by default. */
  only?: readonly string[] | undefined
  /** Parts of file names; all files by default. */
  files?: readonly string[] | undefined
}

/** Measures all groups that the folder has; those that it lacks are named in `bench.figures.skipped`. */
export async function evaluate({ dataDir, only, files }: EvaluateOptions, bench: Bench): Promise<void> {
  for (const group of GROUPS) {
    if (only !== undefined && !only.includes(group.name)) continue
    const found = await readGroup(dataDir, group.name, files)
    if (found === null) bench.figures.skip(`${group.name}: no such group in the data`)
    else await group.evaluate(found, bench)
  }
}
