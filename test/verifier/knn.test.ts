import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NeighbourSearch } from '../../verifier/knn/search.ts'
import { createNeighbourSpool } from '../../verifier/knn/spool.ts'
import { buildGraphs, type Graphs } from '../../verifier/knn/approximate.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { type NeighbourOptions, nearestNeighbours } from '../../verifier/knn.ts'

/** Unit vectors that look random, from a seed. */
function unitVectors(count: number, dimensions: number, seed: number): Float32Array {
  const vectors = new Float32Array(count * dimensions)
  let state = seed >>> 0
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions)
    for (let d = 0; d < dimensions; d++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      vector[d] = state / 2 ** 31 - 1
    }
    const norm = Math.hypot(...vector)
    for (let d = 0; d < dimensions; d++) vector[d]! /= norm
  }
  return vectors
}

function dot(vectors: Float32Array, dimensions: number, a: number, b: number): number {
  let sum = 0
  for (let d = 0; d < dimensions; d++) sum += vectors[a * dimensions + d]! * vectors[b * dimensions + d]!
  return sum
}

const all = (count: number) => new Uint8Array(count).fill(1)

const EXACT: NeighbourSearch = { k: 8, exactSamples: 1_000_000, partSamples: 1, candidates: 1, connectivity: 16, expansion: 64 }
/** Three graphs of the sets below. */
const APPROXIMATE: NeighbourSearch = { ...EXACT, exactSamples: 0, partSamples: 2000, candidates: 32 }

interface Found {
  samples: number[]
  similarities: number[]
}

/** All neighbours of a search, one list after the other. */
async function neighboursOf(
  vectors: Float32Array,
  dimensions: number,
  options: Partial<Omit<NeighbourOptions, 'vectors'>> = {},
): Promise<Found> {
  const source = vectorsInMemory(vectors, dimensions)
  const found: Found = { samples: [], similarities: [] }
  let next = 0
  for await (const block of nearestNeighbours({ valid: all(source.count), search: EXACT, threads: 1, ...options, vectors: source })) {
    assert.equal(block.first, next)
    next += block.count
    for (const sample of block.samples) found.samples.push(sample)
    for (const similarity of block.similarities) found.similarities.push(similarity)
  }
  assert.equal(next, source.count)
  return found
}

function bruteForce(vectors: Float32Array, dimensions: number, row: number, k: number): number[] {
  const count = vectors.length / dimensions
  const similarities = Array.from({ length: count }, (_, other) => dot(vectors, dimensions, row, other))
  const others = [...similarities.keys()].filter((other) => other !== row)
  return others.sort((a, b) => similarities[b]! - similarities[a]! || a - b).slice(0, k)
}

test('law: neighbours are those of brute force, nearest first, ties to the lower number', async () => {
  const shape = fc.record({
    count: fc.integer({ min: 0, max: 60 }),
    dimensions: fc.integer({ min: 1, max: 9 }),
    k: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(),
    copies: fc.array(fc.tuple(fc.nat(59), fc.nat(59)), { maxLength: 20 }),
    missing: fc.array(fc.nat(59), { maxLength: 10 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ count, dimensions, k, seed, copies, missing }) => {
      const vectors = unitVectors(count, dimensions, seed)
      const valid = all(count)
      for (const [from, to] of copies)
        if (from < count && to < count) vectors.copyWithin(to * dimensions, from * dimensions, (from + 1) * dimensions)
      for (const row of missing)
        if (row < count) {
          valid[row] = 0
          vectors.fill(0, row * dimensions, (row + 1) * dimensions)
        }
      const found = await neighboursOf(vectors, dimensions, { valid, search: { ...EXACT, k } })
      for (let row = 0; row < count; row++) {
        const others = [...valid.keys()].filter((other) => other !== row && valid[other] && valid[row])
        const best = others.map((other) => dot(vectors, dimensions, row, other)).sort((a, b) => b - a)
        for (let i = 0; i < k; i++) {
          const sample = found.samples[row * k + i]!
          const similarity = found.similarities[row * k + i]!
          if (i >= others.length) {
            assert.equal(sample, -1)
            continue
          }
          assert.ok(others.includes(sample))
          assert.ok(Math.abs(similarity - best[i]!) < 1e-6, 'the i-th best similarity')
          assert.ok(Math.abs(similarity - dot(vectors, dimensions, row, sample)) < 1e-6, 'the similarity of this sample')
          if (i === 0) continue
          const previous = found.similarities[row * k + i - 1]!
          assert.ok(previous > similarity || (previous === similarity && found.samples[row * k + i - 1]! < sample))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('neighbours are found across the blocks and groups of the search, and the same each time', async () => {
  const count = 16_384 + 300
  const dimensions = 16
  const vectors = unitVectors(count, dimensions, 7)
  // Equal rows in different blocks: each has the others first, lowest first.
  const equal = [3, 255, 256, 16_383, 16_384, count - 1]
  for (const row of equal.slice(1)) vectors.copyWithin(row * dimensions, 3 * dimensions, 4 * dimensions)
  const first = await neighboursOf(vectors, dimensions, { threads: 2 })
  for (const row of equal)
    assert.deepEqual(
      first.samples.slice(row * 8, row * 8 + 5),
      equal.filter((other) => other !== row),
    )
  for (const row of [0, 1000, 16_390]) assert.deepEqual(first.samples.slice(row * 8, row * 8 + 8), bruteForce(vectors, dimensions, row, 8))
  assert.deepEqual(await neighboursOf(vectors, dimensions, { threads: 1 }), first)
})

test('rows that are not valid are skipped wherever they stand, as if they were not there', async () => {
  const dimensions = 12
  const dense = unitVectors(900, dimensions, 11)
  // 20,000 rows of which every so many is one of the 900: reads go over gaps of all lengths.
  const place = (row: number) => row * 20 + (row % 7)
  const vectors = new Float32Array(20_000 * dimensions)
  const valid = new Uint8Array(20_000)
  for (let row = 0; row < 900; row++) {
    vectors.set(dense.subarray(row * dimensions, (row + 1) * dimensions), place(row) * dimensions)
    valid[place(row)] = 1
  }
  const expected = await neighboursOf(dense, dimensions)
  const found = await neighboursOf(vectors, dimensions, { valid })
  for (let row = 0; row < 900; row++) {
    const at = place(row) * 8
    assert.deepEqual(
      found.samples.slice(at, at + 8),
      expected.samples.slice(row * 8, row * 8 + 8).map((sample) => place(sample)),
    )
  }
})

test('above the number of samples that the recipe says, graphs find nearly all neighbours, with their exact similarity', async () => {
  const count = 5000
  const dimensions = 24
  const vectors = unitVectors(count, dimensions, 3)
  const exact = await neighboursOf(vectors, dimensions)
  const found = await neighboursOf(vectors, dimensions, { search: APPROXIMATE })
  let recalled = 0
  for (let row = 0; row < count; row++) {
    const list = found.samples.slice(row * 8, row * 8 + 8)
    const expected = new Set(exact.samples.slice(row * 8, row * 8 + 8))
    recalled += list.filter((sample) => expected.has(sample)).length
    for (const [i, sample] of list.entries())
      // Half precision: eleven bits.
      assert.ok(Math.abs(found.similarities[row * 8 + i]! - dot(vectors, dimensions, row, sample)) < 1e-3)
  }
  assert.ok(recalled / (count * 8) > 0.98, `recall ${recalled / (count * 8)}`)
})

test('what graphs find does not depend on the number of threads', async () => {
  const vectors = unitVectors(5000, 24, 5)
  const one = await neighboursOf(vectors, 24, { search: APPROXIMATE, threads: 1 })
  assert.deepEqual(await neighboursOf(vectors, 24, { search: APPROXIMATE, threads: 3 }), one)
})

test('what graphs find depends neither on how many rows go through the parts together nor on searches before', async () => {
  const source = vectorsInMemory(unitVectors(3000, 24, 9), 24)
  const options = { k: 8, partRows: 1100, candidates: 32, connectivity: 16, expansion: 64, threads: 2 }
  const listsOf = async (graphs: Graphs, queries: number) =>
    (await Array.fromAsync(graphs.search(queries))).flatMap(({ rows, similarities }) => [...rows].map((row, i) => [row, similarities[i]]))
  await using whole = await buildGraphs(source, options)
  await using grouped = await buildGraphs(source, { ...options, groupRows: 700 })
  const expected = await listsOf(whole, 3000)
  assert.equal(expected.length, 3000 * 8)
  assert.deepEqual(await listsOf(grouped, 3000), expected)
  assert.deepEqual(await listsOf(grouped, 1500), expected.slice(0, 1500 * 8))
})

test('a spool gives back what was written, from memory and from its file', async () => {
  for (const memoryBytes of [0, 300, 1_000_000]) {
    await using spool = createNeighbourSpool(3, memoryBytes)
    const blocks = Array.from({ length: 9 }, (_, i) => ({
      first: i * 4,
      count: 4,
      samples: Int32Array.from({ length: 12 }, (__, j) => i * 100 + j),
      similarities: Float32Array.from({ length: 12 }, (__, j) => 1 / (i * 12 + j + 1)),
    }))
    for (const block of blocks) await spool.write(block)
    for (let time = 0; time < 2; time++) assert.deepEqual(await Array.fromAsync(spool.blocks()), blocks)
  }
})

for (const [name, search] of Object.entries({ exact: EXACT, approximate: APPROXIMATE }))
  test(`a search (${name}) that is aborted ends with the reason`, async () => {
    const abort = new AbortController()
    const stop = new Error('stop')
    const found = neighboursOf(unitVectors(5000, 4, 1), 4, { search, signal: abort.signal, onProgress: () => abort.abort(stop) })
    await assert.rejects(found, stop)
  })
