/**
 * `npm run bench` lists the measurements, `npm run bench -- NAME …` runs them one after another. A measurement is a file of bench/ whose
 * header says `node bench/NAME.ts`; the others are parts of these.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const BENCH = new URL('../bench/', import.meta.url)
const names = readdirSync(BENCH)
  .filter((file) => readFileSync(new URL(file, BENCH), 'utf8').includes(` node bench/${file}`))
  .map((file) => file.replace(/\.ts$/, ''))
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !names.includes(name))
if (wanted.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`assay: there is no measurement ${unknown.join(', ')}`)
  console.error(`measurements: ${names.join(', ')}`)
  process.exit(unknown.length > 0 ? 1 : 0)
}
for (const name of wanted) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`${name}.ts`, BENCH))], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
