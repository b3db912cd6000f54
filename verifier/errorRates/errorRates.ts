/**
 * What detectors get right and wrong on public data: a table that ships with the verifier (README.md says how it is made). A report
 * repeats it where the recipe names this very table among its weights, so that the same recipe gives the same report.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Recipe } from '../../core/documents/recipe.ts'
import { ErrorRates } from '../../core/documents/report.ts'

export const TABLE_FILE = new URL('./table.json', import.meta.url)

export const ErrorTable = z.strictObject({
  /** The files that it was measured on, `GROUP/FILE`. */
  sets: z.array(z.string()),
  /** By the detectors' ids. */
  detectors: z.record(z.string(), ErrorRates),
})
export type ErrorTable = z.infer<typeof ErrorTable>

/** As it stands in a recipe. */
export function errorRatesReference(): Recipe['weights'][number] {
  return { name: 'error-rates', sha256: createHash('sha256').update(readFileSync(TABLE_FILE)).digest('hex') }
}

/** The rates of detectors under a recipe, by their ids; none where it names no table, or another. */
export function errorRatesUnder({ weights }: Pick<Recipe, 'weights'>): ErrorTable['detectors'] {
  const own = errorRatesReference()
  if (!weights.some(({ name, sha256 }) => name === own.name && sha256 === own.sha256)) return {}
  return ErrorTable.parse(JSON.parse(readFileSync(TABLE_FILE, 'utf8'))).detectors
}
