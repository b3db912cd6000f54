/**
 * npm run fit: makes the weights that ship with the verifier, from sources whose licence allows it, and writes beside them what they were
 * fitted on. Four fifths of the texts by content hash are fitted on; the rest says how well it went. Deterministic.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fitProbe } from '../synthetic/fitProbe.ts'
import { createProbe } from '../synthetic/probe.ts'
import { LEAST_WORDS } from '../synthetic/windows.ts'
import { scoreText } from '../detectors/syntheticText.ts'
import { readGroup } from './evalFile.ts'
import { encodeLedger } from './fitLedger.ts'
import { PERMITTED_SOURCES } from './permittedSources.ts'
import { foldOf } from './split.ts'
import { auroc, truePositiveRate } from './statistics/roc.ts'
import { isHuman, isMachine } from './synthetic/plans.ts'
import { createTextPool, type PoolRow } from './synthetic/textPool.ts'

const FOLDS = 5

const { values } = parseArgs({
  options: { data: { type: 'string' }, out: { type: 'string', default: new URL('../synthetic/', import.meta.url).pathname } },
})
if (values.data === undefined) throw new Error('usage: npm run fit -- --data DIR [--out DIR]')
const files = await readGroup(values.data, 'text_synthetic')
if (files === null) throw new Error(`${values.data} has no text_synthetic`)

const pool = createTextPool(files, null)
const permitted = [...pool.rows.keys()].filter((number) => {
  const row = pool.rows[number]!
  return row.source !== null && Object.hasOwn(PERMITTED_SOURCES, row.source) && (isHuman(row) || isMachine(row)) && row.words >= LEAST_WORDS
})
const isHeldOut = (number: number) => foldOf(pool.rows[number]!.content, FOLDS) === FOLDS - 1
const fitted = permitted.filter((number) => !isHeldOut(number))
const heldOut = permitted.filter(isHeldOut)
const weights = fitProbe(fitted.map((number) => ({ canonicalText: pool.canonicalText(number), machine: isMachine(pool.rows[number]!) })))

const probe = createProbe(weights)
const scoresOf = (wanted: (row: PoolRow) => boolean) =>
  heldOut.filter((number) => wanted(pool.rows[number]!)).flatMap((number) => scoreText(probe, pool.canonicalText(number))?.score ?? [])
const [machines, humans] = [scoresOf(isMachine), scoresOf(isHuman)]

const bytes = new Uint8Array(weights.length * 2)
const view = new DataView(bytes.buffer)
for (const [i, weight] of weights.entries()) view.setInt16(2 * i, weight, true)
const description = {
  weights: 'weights.i16',
  sha256: createHash('sha256').update(bytes).digest('hex'),
  fittedOn: [...Map.groupBy(fitted, (number) => pool.rows[number]!.source!)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([source, numbers]) => ({
      source,
      ...PERMITTED_SOURCES[source]!,
      human: numbers.filter((number) => isHuman(pool.rows[number]!)).length,
      machine: numbers.filter((number) => isMachine(pool.rows[number]!)).length,
    })),
  heldOut: {
    human: humans.length,
    machine: machines.length,
    auroc: auroc(machines, humans)?.value.toFixed(4),
    tprAtFpr1: truePositiveRate(machines, humans, 0.01)?.value.toFixed(4),
  },
}
await writeFile(join(values.out, 'weights.i16'), bytes)
await writeFile(join(values.out, 'fitted.ledger'), encodeLedger(fitted.map((number) => pool.rows[number]!.content)))
await writeFile(join(values.out, 'fitted.json'), `${JSON.stringify(description, null, 2)}\n`)
console.log(JSON.stringify(description, null, 2))
