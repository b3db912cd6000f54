/** The benchmark sets that an operator has chosen, in a file beside the node's data. All workers of an installation need the same. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { Count, Link } from '../../core/documents/common.ts'
import { encodeDagJson, parseDagJson } from '../../core/documents/document.ts'
import { Problem } from '../../core/problem.ts'
import type { BenchmarkReference } from './references.ts'

const MAX_BENCHMARKS = 256
const Name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected lower-case letters, digits, ".", "_" and "-", at most 64')
const Settings = z.array(z.strictObject({ name: Name, index: Link, sampleCount: Count })).max(MAX_BENCHMARKS)

/** The chosen sets by name; none where there is no file. Throws `invalid-document` where it cannot be read. */
export async function readBenchmarkSettings(path: string): Promise<BenchmarkReference[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return bytes === null ? [] : validate(parseDagJson(bytes), path)
}

/** Adds a set, in the place of one that has its name. Throws `invalid-document` for a name that does not do. */
export async function addBenchmark(path: string, benchmark: BenchmarkReference): Promise<void> {
  const others = (await readBenchmarkSettings(path)).filter(({ name }) => name !== benchmark.name)
  const all = validate([...others, benchmark], path).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.${randomUUID()}`
  await writeFile(partial, encodeDagJson(all))
  await rename(partial, path)
}

function validate(value: unknown, path: string): BenchmarkReference[] {
  const result = Settings.safeParse(value)
  if (!result.success)
    throw new Problem('invalid-document', `${path}: ${result.error.issues[0]?.message ?? 'not a list of benchmark sets'}`)
  return result.data
}
