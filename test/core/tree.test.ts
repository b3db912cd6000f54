import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, hexToBytes } from '../../core/bytes.ts'
import { EMPTY_ROOT, foldHashes, leafHash, nodeHash, verifyConsistency, verifyInclusion } from '../../core/merkle/tree.ts'
import { entriesOf, mth, path, proof } from './rfc9162.ts'

/** The tree that certificate-transparency-go and its descendants test with (merkle/testonly/constants.go). */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hexToBytes)
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(hexToBytes)
const LEAF_0_OF_8 = [
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
].map(hexToBytes)
const FROM_6_TO_8 = [
  '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
].map(hexToBytes)

test('has the roots of the RFC 6962 reference tree', () => {
  for (const [size, root] of ROOTS.entries())
    assert.equal(bytesToHex(foldHashes(LEAVES.slice(0, size).map((leaf) => leafHash(leaf)))), bytesToHex(root))
})

test('accepts the inclusion and consistency proofs of the RFC 6962 reference tree', () => {
  assert.ok(verifyInclusion({ leafHash: leafHash(LEAVES[0]!), index: 0, size: 8, proof: LEAF_0_OF_8, rootHash: ROOTS[8]! }))
  assert.ok(verifyConsistency({ oldSize: 6, oldRoot: ROOTS[6]!, newSize: 8, newRoot: ROOTS[8]!, proof: FROM_6_TO_8 }))
  assert.ok(verifyConsistency({ oldSize: 1, oldRoot: ROOTS[1]!, newSize: 8, newRoot: ROOTS[8]!, proof: LEAF_0_OF_8 }))
})

test('a leaf and an inner node of the same bytes have different hashes', () => {
  const [left, right] = [ROOTS[1]!, ROOTS[2]!]
  assert.notDeepEqual(leafHash(Uint8Array.from([...left, ...right])), nodeHash(left, right))
})

test('every proof of RFC 9162 §2.1.3.1 and §2.1.4.1 up to 40 leaves verifies', () => {
  const entries = entriesOf(40)
  const roots = Array.from({ length: 41 }, (_, size) => mth(entries.slice(0, size)))
  for (let size = 1; size <= 40; size++) {
    const tree = entries.slice(0, size)
    const rootHash = roots[size]!
    for (let i = 0; i < size; i++) {
      const claim = { leafHash: leafHash(entries[i]!), index: i, size, proof: path(i, tree), rootHash }
      assert.ok(verifyInclusion(claim), `leaf ${i} of ${size}`)
      const claimed = { oldSize: i + 1, oldRoot: roots[i + 1]!, newSize: size, newRoot: rootHash, proof: proof(i + 1, tree) }
      assert.ok(verifyConsistency(claimed), `from ${i + 1} to ${size}`)
    }
  }
})

const place = fc.integer({ min: 1, max: 70 }).chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }))

test('law: an inclusion proof holds for no other leaf, place, root or proof', () => {
  fc.assert(
    fc.property(place, fc.nat(69), fc.nat(1000), (at, otherIndex, pick) => {
      const entries = entriesOf(at.size)
      const claim = { ...at, leafHash: leafHash(entries[at.index]!), proof: path(at.index, entries), rootHash: mth(entries) }
      assert.ok(verifyInclusion(claim))
      assert.equal(verifyInclusion({ ...claim, index: otherIndex }), otherIndex === at.index)
      assert.equal(verifyInclusion({ ...claim, leafHash: leafHash(Uint8Array.of(1)) }), false)
      assert.equal(verifyInclusion({ ...claim, rootHash: EMPTY_ROOT }), false)
      assert.equal(verifyInclusion({ ...claim, proof: [...claim.proof, EMPTY_ROOT] }), false)
      if (claim.proof.length > 0) {
        assert.equal(verifyInclusion({ ...claim, proof: claim.proof.slice(0, -1) }), false)
        assert.equal(verifyInclusion({ ...claim, proof: claim.proof.with(pick % claim.proof.length, EMPTY_ROOT) }), false)
      }
    }),
  )
})

test('law: a consistency proof holds for no other roots or proof', () => {
  fc.assert(
    fc.property(place, fc.nat(1000), ({ size, index }, pick) => {
      const entries = entriesOf(size)
      const oldSize = index + 1
      const claim = {
        oldSize,
        oldRoot: mth(entries.slice(0, oldSize)),
        newSize: size,
        newRoot: mth(entries),
        proof: proof(oldSize, entries),
      }
      assert.ok(verifyConsistency(claim))
      assert.equal(verifyConsistency({ ...claim, oldRoot: EMPTY_ROOT }), false)
      assert.equal(verifyConsistency({ ...claim, newRoot: EMPTY_ROOT }), false)
      assert.equal(verifyConsistency({ ...claim, proof: [...claim.proof, EMPTY_ROOT] }), false)
      if (claim.proof.length > 0) {
        assert.equal(verifyConsistency({ ...claim, proof: claim.proof.slice(0, -1) }), false)
        assert.equal(verifyConsistency({ ...claim, proof: claim.proof.with(pick % claim.proof.length, EMPTY_ROOT) }), false)
      }
    }),
  )
})

test('every tree begins with the empty one, which has one root', () => {
  const claim = { oldSize: 0, oldRoot: EMPTY_ROOT, newSize: 8, newRoot: ROOTS[8]!, proof: [] }
  assert.ok(verifyConsistency(claim))
  assert.ok(verifyConsistency({ ...claim, newSize: 0, newRoot: EMPTY_ROOT }))
  assert.equal(verifyConsistency({ ...claim, oldRoot: ROOTS[1]! }), false)
  assert.equal(verifyConsistency({ ...claim, newSize: 0, oldRoot: ROOTS[1]!, newRoot: ROOTS[1]! }), false)
})

test('places that are no places are false, not an error', () => {
  const claim = { leafHash: leafHash(LEAVES[0]!), index: 0, size: 1, proof: [], rootHash: ROOTS[1]! }
  assert.ok(verifyInclusion(claim))
  for (const index of [-1, 1, 0.5, NaN, Infinity]) assert.equal(verifyInclusion({ ...claim, index }), false)
  for (const size of [-1, 0, NaN, 2 ** 60]) assert.equal(verifyInclusion({ ...claim, size }), false)
  assert.equal(verifyInclusion({ ...claim, rootHash: new Uint8Array(0), leafHash: new Uint8Array(0) }), false)
  assert.equal(verifyConsistency({ oldSize: 2, oldRoot: ROOTS[2]!, newSize: 1, newRoot: ROOTS[1]!, proof: [] }), false)
})

test('leaves beyond 2^32 have proofs, too', () => {
  const leaf = leafHash(LEAVES[0]!)
  const siblings = Array.from({ length: 40 }, (_, i) => leafHash(Uint8Array.of(i)))
  const index = 2 ** 39 + 5
  let rootHash = leaf
  for (const [height, sibling] of siblings.entries())
    rootHash = Math.floor(index / 2 ** height) % 2 === 1 ? nodeHash(sibling, rootHash) : nodeHash(rootHash, sibling)
  assert.ok(verifyInclusion({ leafHash: leaf, index, size: 2 ** 40, proof: siblings, rootHash }))
  assert.equal(verifyInclusion({ leafHash: leaf, index: 5, size: 2 ** 40, proof: siblings, rootHash }), false)
})
