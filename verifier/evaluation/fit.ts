/**
 * npm run fit: makes the weights that ship with the verifier, from sources whose licence allows it, and writes beside them what they were
 * fitted on. Four fifths of the texts by content hash are fitted on; the rest says how well it went. Deterministic.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scoreText } from '../detectors/syntheticText.ts'
import { createEmbedder } from '../embedding/embedder.ts'
import { defaultModelCache } from '../embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../embedding/models.ts'
import { fitDiscriminant } from '../synthetic/discriminant.ts'
import { decodeDiscriminants, encodeDiscriminants, STYLE_LAYERS } from '../synthetic/discriminantFile.ts'
import { fitProbe } from '../synthetic/fitProbe.ts'
import { createProbe } from '../synthetic/probe.ts'
import { createStyleScorer, type StyleRows } from '../synthetic/styleScore.ts'
import { LEAST_WORDS } from '../synthetic/windows.ts'
import { readGroup } from './evalFile.ts'
import { encodeLedger } from './fitLedger.ts'
import { PERMITTED_SOURCES } from './permittedSources.ts'
import { foldOf } from './split.ts'
import { auroc, truePositiveRate } from './statistics/roc.ts'
import { isHuman, isMachine } from './synthetic/plans.ts'
import { createTextPool, kindOf } from './synthetic/textPool.ts'
import { openTextVectors } from './textVectors.ts'

const FOLDS = 5

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string', default: new URL('../synthetic/', import.meta.url).pathname },
    cache: { type: 'string', default: join(homedir(), '.cache', 'assay', 'evaluation') },
  },
})
if (values.data === undefined) throw new Error('usage: npm run fit -- --data DIR [--out DIR] [--cache DIR]')
const files = await readGroup(values.data, 'text_synthetic')
if (files === null) throw new Error(`${values.data} has no text_synthetic`)

const embedder = createEmbedder({ manifest: DEFAULT_MODEL, device: 'cpu', cacheDir: defaultModelCache() })
const vectors = openTextVectors({ embedder, cacheDir: values.cache, onProgress: () => {} })
const pool = createTextPool(files, vectors)
const permitted = [...pool.rows.keys()].filter((number) => {
  const row = pool.rows[number]!
  return row.source !== null && Object.hasOwn(PERMITTED_SOURCES, row.source) && (isHuman(row) || isMachine(row)) && row.words >= LEAST_WORDS
})
const isMachineText = (number: number) => isMachine(pool.rows[number]!)
const isHeldOut = (number: number) => foldOf(pool.rows[number]!.content, FOLDS) === FOLDS - 1
const fitted = permitted.filter((number) => !isHeldOut(number))
const heldOut = permitted.filter(isHeldOut)

const weights = fitProbe(fitted.map((number) => ({ canonicalText: pool.canonicalText(number), machine: isMachineText(number) })))
const probe = createProbe(weights)
const probeScore = (number: number) => scoreText(probe, pool.canonicalText(number))!.score

const source = { count: permitted.length, text: (i: number) => pool.rows[permitted[i]!]!.text }
const layers = await Promise.all(STYLE_LAYERS.map((name) => vectors.matrix(source, `layer/${name}`, new AbortController().signal)))
const placeOf = new Map(permitted.map((number, place) => [number, place]))
const examples = fitted.map((number) => ({ row: placeOf.get(number)!, machine: isMachineText(number), kind: kindOf(pool.rows[number]!) }))
const discriminantBytes = encodeDiscriminants(layers.map((layer) => fitDiscriminant(layer, examples)))

const bytes = new Uint8Array(weights.length * 2)
const view = new DataView(bytes.buffer)
for (const [i, weight] of weights.entries()) view.setInt16(2 * i, weight, true)
const description = {
  weights: [describe('weights.i16', bytes, heldOut.map(probeScore)), describe('discriminants.f16', discriminantBytes, styleScores())],
  fittedOn: [...Map.groupBy(fitted, (number) => pool.rows[number]!.source!)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, numbers]) => ({ source: name, ...PERMITTED_SOURCES[name]!, ...countsOf(numbers) })),
  heldOut: countsOf(heldOut),
}
await writeFile(join(values.out, 'weights.i16'), bytes)
await writeFile(join(values.out, 'discriminants.f16'), discriminantBytes)
await writeFile(join(values.out, 'fitted.ledger'), encodeLedger(fitted.map((number) => pool.rows[number]!.content)))
await writeFile(join(values.out, 'fitted.json'), `${JSON.stringify(description, null, 2)}\n`)
console.log(JSON.stringify(description, null, 2))

/** Scores of the texts kept out, each with the human texts of its kind that were fitted on as references. */
function styleScores(): number[] {
  const discriminants = decodeDiscriminants(discriminantBytes, layers.length, layers[0]!.dimensions)
  const rows: StyleRows = { layers, probe: (row) => probeScore(permitted[row]!) }
  const scorers = new Map(
    [...Map.groupBy(examples, ({ kind }) => kind)].map(([kind, own]) => {
      const humans = own.filter(({ machine }) => !machine).map(({ row }) => row)
      return [kind, createStyleScorer(discriminants, rows, humans)]
    }),
  )
  return heldOut.map((number) => scorers.get(kindOf(pool.rows[number]!))!.score(rows, placeOf.get(number)!))
}

function describe(file: string, content: Uint8Array, scores: readonly number[]) {
  const [machines, humans] = [true, false].map((machine) => scores.filter((_, i) => isMachineText(heldOut[i]!) === machine)) as [
    number[],
    number[],
  ]
  return {
    file,
    sha256: createHash('sha256').update(content).digest('hex'),
    heldOutAuroc: auroc(machines, humans)?.value.toFixed(4),
    heldOutTprAtFpr1: truePositiveRate(machines, humans, 0.01)?.value.toFixed(4),
  }
}

function countsOf(numbers: readonly number[]): { human: number; machine: number } {
  const machine = numbers.filter(isMachineText).length
  return { human: numbers.length - machine, machine }
}
