/** The benchmark sets that an operator has chosen. */
import { z } from 'zod'
import { Count, Link } from '../../core/documents/common.ts'
import { benchmarkCell, type DataSetReference } from '../compared.ts'
import { settingsFile } from '../settingsFile.ts'

const Name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected lower-case letters, digits, ".", "_" and "-", at most 64')
const ChosenBenchmark = z.strictObject({ name: Name, index: Link, sampleCount: Count })
export type ChosenBenchmark = z.infer<typeof ChosenBenchmark>

export const benchmarkSettings = settingsFile(ChosenBenchmark, ({ name }) => name, 'benchmark sets')

/** As recipes name them. */
export function benchmarkReferences(benchmarks: readonly ChosenBenchmark[]): DataSetReference[] {
  return benchmarks.map(({ name, index, sampleCount }) => ({ cell: benchmarkCell(name), index, sampleCount }))
}
