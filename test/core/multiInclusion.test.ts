import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyMultiInclusion } from '../../core/merkle/multiInclusion.ts'
import { appendLeaves, inclusionProof, multiInclusionProof, type TileReader } from '../../core/merkle/tiles.ts'
import { leafHash, verifyInclusion } from '../../core/merkle/tree.ts'
import { entriesOf } from './rfc9162.ts'

const SIZE = 3000
const LEAVES = entriesOf(SIZE).map((entry) => leafHash(entry))

async function treeOf(size: number): Promise<{ reader: TileReader; rootHash: Uint8Array }> {
  const nothing: TileReader = { readTile: () => Promise.reject(new Error('there is no such tile')) }
  const { tiles, rootHash } = await appendLeaves(nothing, 0, LEAVES.slice(0, size))
  const reader: TileReader = {
    readTile: async (level, index, width) =>
      Promise.resolve(tiles.find((tile) => tile.level === level && tile.index === index)!.bytes.subarray(0, width * 32)),
  }
  return { reader, rootHash }
}

const places = fc
  .integer({ min: 1, max: SIZE })
  .chain((size) => fc.tuple(fc.constant(size), fc.uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: 40 })))
  .map(([size, indices]) => ({ size, indices: indices.toSorted((a, b) => a - b) }))

test('law: any leaves of any tree are proved at once, with no more hashes than one by one', async () => {
  await fc.assert(
    fc.asyncProperty(places, async ({ size, indices }) => {
      const { reader, rootHash } = await treeOf(size)
      const proof = await multiInclusionProof(reader, indices, size)
      const leafHashes = indices.map((index) => LEAVES[index]!)
      assert.ok(verifyMultiInclusion({ indices, leafHashes, size, proof, rootHash }))
      const single = await Promise.all(indices.map((index) => inclusionProof(reader, index, size)))
      assert.ok(proof.length <= single.reduce((sum, { length }) => sum + length, 0))
      for (const [i, index] of indices.entries())
        assert.ok(verifyInclusion({ leafHash: leafHashes[i]!, index, size, proof: single[i]!, rootHash }))
    }),
    { numRuns: 40 },
  )
})

test('law: another leaf, place, size, root or hash is refused, and so is a hash too few or too many', async () => {
  await fc.assert(
    fc.asyncProperty(places, fc.nat(), async ({ size, indices }, at) => {
      fc.pre(size > indices.length)
      const { reader, rootHash } = await treeOf(size)
      const proof = await multiInclusionProof(reader, indices, size)
      const claim = { indices, leafHashes: indices.map((index) => LEAVES[index]!), size, proof, rootHash }
      const wrong = new Uint8Array(32).fill(7)
      const which = at % indices.length
      const free = Array.from({ length: size }, (_, i) => i).find((index) => !indices.includes(index))!
      for (const change of [
        { leafHashes: claim.leafHashes.with(which, wrong) },
        { indices: indices.with(which, free).toSorted((a, b) => a - b) },
        { proof: proof.with(at % proof.length, wrong) },
        { proof: proof.slice(1) },
        { proof: [...proof, wrong] },
        { proof: proof.with(0, wrong.subarray(1)) },
        { rootHash: wrong },
        { indices: [], leafHashes: [] },
        { indices: indices.with(0, -1) },
        { size: indices.at(-1)! },
      ])
        assert.equal(verifyMultiInclusion({ ...claim, ...change }), false, JSON.stringify(Object.keys(change)))
    }),
    { numRuns: 30 },
  )
})
