/** What the programs of bench/ have in common: their sizes come as flags, their measurements go to a person or to bench/main.ts. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Measurement } from './measurement.ts'

/** Every size that some program has, as options of `parseArgs`, so that one line can give them to all. */
export const SIZE_OPTIONS = {
  megabytes: { type: 'string', meaning: 'of the files, 10^6 bytes each' },
  rows: { type: 'string', meaning: 'of the data set' },
  entries: { type: 'string', meaning: 'of the log' },
  texts: { type: 'string', meaning: 'to embed' },
  vectors: { type: 'string', meaning: 'to search among' },
  queries: { type: 'string', meaning: 'that are searched for' },
  neighbours: { type: 'string', meaning: 'that are searched for each' },
  rounds: { type: 'string', meaning: 'that are counted; one goes before to warm up' },
} as const
export type Size = keyof typeof SIZE_OPTIONS

/** The sizes as a help text. */
export const SIZES_HELP = Object.entries(SIZE_OPTIONS)
  .map(([name, { meaning }]) => `  --${name.padEnd(10)}  ${meaning}`)
  .join('\n')

/** A program's sizes: those of the command line, else its own. Throws a TypeError for a flag that no program knows, or for no number. */
export function sizesFrom<S extends Size>(defaults: Record<S, number>): Record<S, number> {
  const given = parseSizes(parseArgs({ options: SIZE_OPTIONS }).values)
  const sizes = { ...defaults }
  for (const name of Object.keys(defaults) as S[]) sizes[name] = given[name] ?? defaults[name]
  return sizes
}

/** Throws a TypeError for what is no whole number above 0. */
export function parseSizes(words: Partial<Record<Size, string>>): Partial<Record<Size, number>> {
  const sizes: Partial<Record<Size, number>> = {}
  for (const name of Object.keys(SIZE_OPTIONS) as Size[]) {
    const word = words[name]
    if (word === undefined) continue
    if (!/^[1-9]\d*$/.test(word)) throw new TypeError(`--${name} takes a whole number above 0, not ${word}`)
    sizes[name] = Number(word)
  }
  return sizes
}

/** Prints a measurement, or hands it to bench/main.ts where that started this program. */
export function report(measurement: Measurement): void {
  console.log(describe(measurement))
  process.send?.(measurement)
  if (measurement.required !== undefined && measurement.ratio < measurement.required) process.exitCode = 1
}

function describe({ name, unit, figure, floor, ratio, against, size, required }: Measurement): string {
  const least = required === undefined ? '' : ` (at least ${required})`
  return `${name}: ${formatRate(figure)} ${unit}, ${against}: ${formatRate(floor)} ${unit}, ratio ${ratio.toFixed(3)}${least}; ${size}`
}

export function formatRate(rate: number): string {
  return rate.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: false })
}

export interface Workspace extends AsyncDisposable {
  readonly dir: string
}

/** A directory for one run, removed at its end. */
export async function openWorkspace(): Promise<Workspace> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-bench-'))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
