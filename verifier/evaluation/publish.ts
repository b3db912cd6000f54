/** npm run evaluate:publish -- FILE…: what reports say of the detectors' errors on public data, made from evaluations. */
import { readFile, writeFile } from 'node:fs/promises'
import { TABLE_FILE } from '../errorRates/errorRates.ts'
import { DETECTORS } from '../recipe.ts'
import { errorTable, type Evaluation, formatErrorTable } from './errorRates.ts'

const files = process.argv.slice(2)
if (files.length === 0 || files.some((file) => file.startsWith('-'))) {
  console.error(
    'npm run evaluate:publish -- FILE…: files that npm run evaluate -- --out wrote; of figures that several have the last stands',
  )
  process.exitCode = 2
} else {
  const evaluations: Evaluation[] = []
  for (const file of files) evaluations.push(JSON.parse(await readFile(file, 'utf8')) as Evaluation)
  const ids = DETECTORS.map(({ id }) => id)
  const table = errorTable(evaluations, ids)
  await writeFile(TABLE_FILE, formatErrorTable(table))
  const missing = ids.filter((id) => table.detectors[id] === undefined)
  console.log(`${Object.keys(table.detectors).length} detectors on ${table.sets.length} files; the recipe is another from now on`)
  if (missing.length > 0) console.log(`no figures of: ${missing.join(', ')}`)
}
