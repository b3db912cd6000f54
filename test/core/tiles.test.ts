import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes } from '../../core/bytes.ts'
import { createTreeBuilder, levelFileReader } from '../../core/merkle/builder.ts'
import {
  type Tile,
  type TileReader,
  appendLeaves,
  consistencyProof,
  inclusionProof,
  parseTilePath,
  tilePath,
  tileWidth,
  treeRoot,
} from '../../core/merkle/tiles.ts'
import { EMPTY_ROOT, leafHash, verifyConsistency, verifyInclusion } from '../../core/merkle/tree.ts'
import { entriesOf, mth, path, proof } from './rfc9162.ts'

const ENTRIES = entriesOf(70_000)
const LEAVES = ENTRIES.map((entry) => leafHash(entry))

/** The level files of the tree of the first `size` leaves, and its root. */
function build(size: number) {
  const levels: Uint8Array[][] = []
  const builder = createTreeBuilder({ onTile: (level, bytes) => (levels[level] ??= []).push(bytes) })
  for (const leaf of LEAVES.slice(0, size)) builder.push(leaf)
  const { size: built, rootHash } = builder.finish()
  assert.equal(built, size)
  return { files: levels.map((tiles) => concatBytes(...tiles)), rootHash }
}

function readerOf(files: readonly Uint8Array[]): TileReader {
  return levelFileReader(async (level, offsetBytes, lengthBytes) => {
    const bytes = files[level]?.subarray(offsetBytes, offsetBytes + lengthBytes)
    assert.equal(bytes?.length, lengthBytes, `level ${level} has no ${lengthBytes} bytes at ${offsetBytes}`)
    return bytes
  })
}

/** Tiles as a log keeps them: the widest of each place. */
function createTileMap() {
  const tiles = new Map<string, Tile>()
  const reader: TileReader = {
    async readTile(level, index, width) {
      const tile = tiles.get(`${level}/${index}`)
      assert.ok(tile !== undefined && tile.width >= width, `no tile ${level}/${index} of ${width}`)
      return tile.bytes.subarray(0, width * 32)
    },
  }
  const put = (written: readonly Tile[]) => {
    for (const tile of written) tiles.set(`${tile.level}/${tile.index}`, tile)
  }
  return { tiles, reader, put }
}

const size = fc.oneof(fc.nat(600), fc.constantFrom(0, 1, 255, 256, 257, 511, 512, 513))

test('law: the builder, the tiles and RFC 9162 have the same root', async () => {
  await fc.assert(
    fc.asyncProperty(size, async (n) => {
      const { files, rootHash } = build(n)
      assert.deepEqual(rootHash, mth(ENTRIES.slice(0, n)))
      assert.deepEqual(await treeRoot(readerOf(files), n), rootHash)
    }),
    { numRuns: 50 },
  )
})

test('law: a tree of any earlier size can be read from the tiles of a later one', async () => {
  const reader = readerOf(build(1000).files)
  await fc.assert(fc.asyncProperty(fc.nat(1000), async (n) => assert.deepEqual(await treeRoot(reader, n), mth(ENTRIES.slice(0, n)))))
})

test('law: proofs from tiles are those of RFC 9162', async () => {
  const reader = readerOf(build(700).files)
  const place = fc.integer({ min: 1, max: 700 }).chain((n) => fc.tuple(fc.constant(n), fc.nat(n - 1)))
  await fc.assert(
    fc.asyncProperty(place, async ([n, i]) => {
      assert.deepEqual(await inclusionProof(reader, i, n), path(i, ENTRIES.slice(0, n)))
      assert.deepEqual(await consistencyProof(reader, i + 1, n), proof(i + 1, ENTRIES.slice(0, n)))
    }),
  )
})

test('proofs across three levels of tiles verify', async () => {
  const { files, rootHash } = build(70_000)
  assert.equal(files.length, 3)
  assert.deepEqual(rootHash, mth(ENTRIES))
  const reader = readerOf(files)
  for (const index of [0, 255, 256, 65_535, 65_536, 69_999]) {
    const claim = { leafHash: LEAVES[index]!, index, size: 70_000, proof: await inclusionProof(reader, index, 70_000), rootHash }
    assert.ok(verifyInclusion(claim), `leaf ${index}`)
  }
  for (const oldSize of [1, 256, 65_535, 65_536, 65_537, 70_000]) {
    const proofOf = await consistencyProof(reader, oldSize, 70_000)
    const oldRoot = await treeRoot(reader, oldSize)
    assert.ok(verifyConsistency({ oldSize, oldRoot, newSize: 70_000, newRoot: rootHash, proof: proofOf }), `from ${oldSize}`)
  }
})

test('law: leaves that are appended in any portions give the tiles of the builder', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 6 }), async (portions) => {
      const { tiles, reader, put } = createTileMap()
      let length = 0
      for (const portion of portions) {
        const appended = await appendLeaves(reader, length, LEAVES.slice(length, length + portion))
        length += portion
        assert.equal(appended.size, length)
        assert.deepEqual(appended.rootHash, mth(ENTRIES.slice(0, length)))
        put(appended.tiles)
      }
      const { files } = build(length)
      const stored = files.map((_, level) => {
        const count = [...tiles.values()].filter((tile) => tile.level === level).length
        return concatBytes(...Array.from({ length: count }, (__, index) => tiles.get(`${level}/${index}`)!.bytes))
      })
      assert.deepEqual(stored, files)
      for (const tile of tiles.values()) assert.equal(tile.width, tileWidth(tile.level, tile.index, length))
    }),
    { numRuns: 20 },
  )
})

test('appending writes the tiles that grew and no others', async () => {
  const { reader, put } = createTileMap()
  put((await appendLeaves(reader, 0, LEAVES.slice(0, 300))).tiles)
  const { tiles } = await appendLeaves(reader, 300, LEAVES.slice(300, 301))
  assert.deepEqual(
    tiles.map(({ level, index, width }) => [level, index, width]),
    [[0, 1, 45]],
  )
})

test('a proof asks for each tile once and only for widths that a static log must serve', async () => {
  const asked: string[] = []
  const inner = readerOf(build(700).files)
  const reader: TileReader = {
    readTile(level, index, width) {
      asked.push(tilePath(level, index, width))
      return inner.readTile(level, index, width)
    },
  }
  await inclusionProof(reader, 3, 700)
  assert.deepEqual(asked.sort(), ['tile/0/000', 'tile/0/002.p/188', 'tile/1/000.p/2'])
})

test('a tile of a wrong length is refused', async () => {
  await assert.rejects(treeRoot({ readTile: async () => new Uint8Array(31) }, 1), /tile 0\/0 has 31 bytes/)
})

test('the empty tree has the root of the empty string and no tiles', () => {
  assert.deepEqual(build(0), { files: [], rootHash: EMPTY_ROOT })
})

test('a leaf or an old size outside the tree is a RangeError', async () => {
  const reader = readerOf(build(3).files)
  await assert.rejects(inclusionProof(reader, 3, 3), RangeError)
  await assert.rejects(inclusionProof(reader, -1, 3), RangeError)
  await assert.rejects(consistencyProof(reader, 4, 3), RangeError)
})

test('a finished builder takes no more leaves', () => {
  const builder = createTreeBuilder({ onTile: () => undefined })
  builder.finish()
  assert.throws(() => builder.push(LEAVES[0]!), /finished/)
})

test('tile paths are those of the C2SP examples', () => {
  assert.equal(tilePath(0, 1234067, 256), 'tile/0/x001/x234/067')
  assert.equal(tilePath(1, 5, 8), 'tile/1/005.p/8')
  assert.equal(tilePath('entries', 0, 256), 'tile/entries/000')
})

test('law: a tile path names one tile', () => {
  const level = fc.oneof(fc.nat(63), fc.constant('entries' as const))
  fc.assert(
    fc.property(level, fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (l, index, width) => {
      assert.deepEqual(parseTilePath(tilePath(l, index, width)), { level: l, index, width })
    }),
  )
})

for (const path_ of [
  'tile/0/0',
  'tile/0/1000',
  'tile/0/x000/001',
  'tile/0/001/002',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/08',
  'tile/00/000',
  'tile/64/000',
  'tile/-1/000',
  'tile/0/x999/x999/x999/x999/x999/999',
  'tile/data/000',
  '/tile/0/000',
  'tile/0/000/',
  'tile/0/../000',
]) {
  test(`${path_} is no tile path`, () => {
    assert.throws(() => parseTilePath(path_), { code: 'invalid-request' })
  })
}
