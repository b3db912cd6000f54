/** The laws `sample-tree` and `samples`: rows that the run read are leaves of the tree that the index names. */
import { bytesToHex, equalBytes, hexToBytes } from '../bytes.ts'
import type { Consumption } from '../documents/run.ts'
import { type TileReader, inclusionProof, treeRoot } from '../merkle/tiles.ts'
import { levelFileReader } from '../merkle/builder.ts'
import { leafHash, verifyInclusion } from '../merkle/tree.ts'
import { createOrder } from '../order.ts'
import { sampleAt, stepsPerEpoch } from '../runOrder.ts'
import { sampleDigest } from '../samples/encoding.ts'
import { readRange } from './artifact.ts'
import type { Selected } from './selections.ts'
import type { Signed } from './signatures.ts'
import type { GetBlock } from '../unixfs/node.ts'
import type { AuditSource } from './source.ts'
import { type Held, broken } from './step.ts'

/** The levels' files hash to the root that the index names. */
export async function sampleTreeLaw(getBlock: GetBlock, index: Signed<'index'>): Promise<Held<TileReader>> {
  const { tree, sampleCount } = index.encoded.document
  const reader = levelFileReader((level, offsetBytes, lengthBytes) => {
    const cid = tree.levels[level]
    if (cid === undefined) broken(`the index names ${tree.levels.length} levels of its tree, too few for ${sampleCount} samples`)
    return readRange(getBlock, cid, offsetBytes, lengthBytes)
  })
  const root = await treeRoot(reader, sampleCount)
  if (!equalBytes(root, hexToBytes(tree.rootHash))) broken(`the tiles hash to ${bytesToHex(root)}, not to ${tree.rootHash}`)
  return { detail: `${sampleCount} leaves under ${tree.rootHash.slice(0, 16)}…`, value: reader }
}

export interface SampleCheck {
  consumption: Consumption
  selected: Selected
  index: Signed<'index'>
  tree: TileReader
  /** How many rows to draw. */
  rows: number
  /** A uniformly random integer in [0, below). */
  random: (below: number) => number
}

/** One row that a run read. */
interface DrawnRow {
  step: number
  epoch: number
  position: number
}

/** The run's steps exist, and rows drawn from them are what the index says. */
export async function samplesLaw(source: AuditSource, check: SampleCheck): Promise<Held<null>> {
  const { consumption, selected, index, tree, rows, random } = check
  const { selectedCount } = selected.encoded.document
  const { sampleCount, tree: claimed } = index.encoded.document
  const planned = selectedCount === 0 ? 0 : stepsPerEpoch(consumption, selectedCount) * consumption.epochs
  const steps = consumption.steps ?? planned
  if (steps > planned) broken(`the run says ${steps} steps, but its epochs have ${planned}`)
  if (steps === 0) return { detail: 'no step was done', value: null }

  const seen = new Set<number>()
  for (let i = 0; i < rows; i++) {
    const drawn = drawRow(consumption, selectedCount, steps, random)
    const order = createOrder({ seed: consumption.seed, epoch: drawn.epoch, size: selectedCount })
    const number = sampleAt(selected.bitmap, order, drawn.position)
    if (seen.has(number)) continue
    seen.add(number)
    const digest = sampleDigest(await source.row(index.encoded, number))
    const proof = await inclusionProof(tree, number, sampleCount)
    if (!verifyInclusion({ leafHash: leafHash(digest), index: number, size: sampleCount, proof, rootHash: hexToBytes(claimed.rootHash) }))
      broken(
        `step ${drawn.step} read sample ${number}, but the row that is given for it (digest ${bytesToHex(digest)}) is not that leaf of the tree`,
      )
  }
  return { detail: `${seen.size} row${seen.size === 1 ? '' : 's'} of ${steps} steps with seed "${consumption.seed}"`, value: null }
}

/**
 * Draws a step, then one of its rows. Step t of an epoch reads the positions from shards × batchSize × t on, since worker i of n
 * takes position i + n × offset as its row `offset`.
 */
function drawRow({ shards, batchSize }: Consumption, selectedCount: number, steps: number, random: (below: number) => number): DrawnRow {
  const perEpoch = stepsPerEpoch({ shards, batchSize }, selectedCount)
  const step = random(steps)
  const first = (step % perEpoch) * shards * batchSize
  const position = first + random(Math.min(shards * batchSize, selectedCount - first))
  return { step, epoch: Math.floor(step / perEpoch), position }
}
