/**
 * A Merkle tree stored as tiles of 256 hashes (https://c2sp.org/tlog-tiles, §Merkle Tree). Tile (L, N) holds the roots of the
 * complete subtrees of 256^L leaves that begin at leaf N·256·256^L; the last tile of a level may be partial. Everything else,
 * roots and proofs, is computed from tiles here, for the log and for the sample trees alike.
 */
import { concatBytes } from '../bytes.ts'
import { DIGEST_LENGTH, type Sha256, sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'
import { isAscending, largestPowerOfTwoBelow, splitAt } from './multiInclusion.ts'
import { EMPTY_ROOT, foldHashes, nodeHash } from './tree.ts'

/** Hashes in a full tile. */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8

export interface TileReader {
  /**
   * The first `width` hashes (1 … 256) of a tile: `width · 32` bytes, maybe cut from a wider tile. Throws when it has no such tile.
   * What a reader returns is taken as it is; who reads from a stranger compares the root or the proof in the end.
   */
  readTile(level: number, index: number, width: number): Promise<Uint8Array>
}

export interface Tile {
  level: number
  index: number
  /** Hashes in the tile, 1 … 256. */
  width: number
  /** `width · 32` bytes. */
  bytes: Uint8Array
}

/** Root of the tree of the first `size` leaves. Reads O(log size) tiles. */
export async function treeRoot(reader: TileReader, size: number, hash: Sha256 = sha256): Promise<Uint8Array> {
  return size === 0 ? EMPTY_ROOT : rangeHash(createHashReader(reader, size, hash), 0, size, hash)
}

/** PATH(index, D_size) of RFC 9162 §2.1.3.1: sibling hashes from the leaf upwards. Throws a RangeError when the leaf is not in the tree. */
export async function inclusionProof(reader: TileReader, index: number, size: number, hash: Sha256 = sha256): Promise<Uint8Array[]> {
  if (!(index >= 0 && index < size)) throw new RangeError(`leaf ${index} is not in a tree of ${size} leaves`)
  const hashes = createHashReader(reader, size, hash)
  const proof: Promise<Uint8Array>[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + largestPowerOfTwoBelow(end - start)
    if (index < middle) {
      proof.push(rangeHash(hashes, middle, end, hash))
      end = middle
    } else {
      proof.push(rangeHash(hashes, start, middle, hash))
      start = middle
    }
  }
  return (await Promise.all(proof)).reverse()
}

/**
 * The hashes that, with the leaves `indices` (ascending, each once), come to the root of the first `size` leaves: the largest subtrees
 * without any of them, from left to right. Throws a RangeError when a leaf is not in the tree.
 */
export async function multiInclusionProof(
  reader: TileReader,
  indices: readonly number[],
  size: number,
  hash: Sha256 = sha256,
): Promise<Uint8Array[]> {
  if (!isAscending(indices, size)) throw new RangeError(`expected leaves below ${size} in ascending order, at least one`)
  const hashes = createHashReader(reader, size, hash)
  const ranges: Promise<Uint8Array>[] = []
  const descend = (start: number, end: number, first: number, last: number): void => {
    if (first === last) ranges.push(rangeHash(hashes, start, end, hash))
    else if (end - start > 1) {
      const middle = start + largestPowerOfTwoBelow(end - start)
      const split = splitAt(indices, first, last, middle)
      descend(start, middle, first, split)
      descend(middle, end, split, last)
    }
  }
  descend(0, size, 0, indices.length)
  return Promise.all(ranges)
}

/** PROOF(oldSize, D_newSize) of RFC 9162 §2.1.4.1; empty from size 0 and between equal sizes. Throws a RangeError when old > new. */
export async function consistencyProof(reader: TileReader, oldSize: number, newSize: number, hash: Sha256 = sha256): Promise<Uint8Array[]> {
  if (!(oldSize >= 0 && oldSize <= newSize)) throw new RangeError(`a tree of ${newSize} leaves is not later than one of ${oldSize}`)
  if (oldSize === 0 || oldSize === newSize) return []
  const hashes = createHashReader(reader, newSize, hash)
  const proof: Promise<Uint8Array>[] = []
  let start = 0
  let end = newSize
  while (oldSize !== end) {
    const middle = start + largestPowerOfTwoBelow(end - start)
    if (oldSize <= middle) {
      proof.push(rangeHash(hashes, middle, end, hash))
      end = middle
    } else {
      proof.push(rangeHash(hashes, start, middle, hash))
      start = middle
    }
  }
  // The old tree's last subtree; the verifier knows it when it is the whole old tree.
  if (start > 0) proof.push(rangeHash(hashes, start, end, hash))
  return (await Promise.all(proof)).reverse()
}

export interface Appended {
  size: number
  rootHash: Uint8Array
  /** Every tile that is new or wider than before, whole, lower levels first. */
  tiles: Tile[]
}

/** Adds leaves to the tree of `oldSize` leaves. Reads the right edge of the old tree only. */
export async function appendLeaves(
  reader: TileReader,
  oldSize: number,
  leafHashes: readonly Uint8Array[],
  hash: Sha256 = sha256,
): Promise<Appended> {
  const size = oldSize + leafHashes.length
  const tiles: Tile[] = []
  let added = leafHashes
  for (let level = 0, oldCount = oldSize; added.length > 0; level++, oldCount = Math.floor(oldCount / TILE_WIDTH)) {
    const firstIndex = Math.floor(oldCount / TILE_WIDTH)
    const oldWidth = oldCount % TILE_WIDTH
    const known = oldWidth === 0 ? [] : splitHashes(await reader.readTile(level, firstIndex, oldWidth))
    const row = [...known, ...added]
    const parents: Uint8Array[] = []
    for (let offset = 0, index = firstIndex; offset < row.length; offset += TILE_WIDTH, index++) {
      const hashes = row.slice(offset, offset + TILE_WIDTH)
      tiles.push({ level, index, width: hashes.length, bytes: concatBytes(...hashes) })
      if (hashes.length === TILE_WIDTH) parents.push(foldHashes(hashes, hash))
    }
    added = parents
  }
  return { size, rootHash: await treeRoot(overlay(tiles, reader), size, hash), tiles }
}

/** Reads these tiles where they are wide enough, and the reader otherwise. */
function overlay(tiles: readonly Tile[], reader: TileReader): TileReader {
  const byPlace = new Map(tiles.map((tile) => [`${tile.level}/${tile.index}`, tile]))
  return {
    async readTile(level, index, width) {
      const tile = byPlace.get(`${level}/${index}`)
      return tile !== undefined && tile.width >= width
        ? tile.bytes.subarray(0, width * DIGEST_LENGTH)
        : reader.readTile(level, index, width)
    },
  }
}

/** Width of tile (level, index) in the tree of `size` leaves; 0 when that tree has no such tile. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH))
}

/** The hashes of a tile, as views. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / DIGEST_LENGTH }, (_, i) => bytes.subarray(i * DIGEST_LENGTH, (i + 1) * DIGEST_LENGTH))
}

/** The root of the complete subtree of 2^height leaves that begins at leaf `start`. */
type HashReader = (start: number, height: number) => Promise<Uint8Array>

/** Reads each tile once, at the width it has in the tree of `size` leaves: the one that a static log must serve. */
function createHashReader(reader: TileReader, size: number, hash: Sha256): HashReader {
  const tiles = new Map<string, Promise<Uint8Array>>()
  return async (start, height) => {
    const level = Math.floor(height / TILE_HEIGHT)
    const position = start / TILE_WIDTH ** level
    const index = Math.floor(position / TILE_WIDTH)
    const key = `${level}/${index}`
    let tile = tiles.get(key)
    if (tile === undefined) {
      const width = tileWidth(level, index, size)
      tile = reader.readTile(level, index, width).then((bytes) => {
        if (bytes.length !== width * DIGEST_LENGTH) throw new Error(`tile ${key} has ${bytes.length} bytes, not ${width * DIGEST_LENGTH}`)
        return bytes
      })
      tiles.set(key, tile)
    }
    const offset = position % TILE_WIDTH
    const count = 2 ** (height % TILE_HEIGHT)
    return foldHashes(splitHashes((await tile).subarray(offset * DIGEST_LENGTH, (offset + count) * DIGEST_LENGTH)), hash)
  }
}

/** MTH(D[start:end]) for a range that RFC 9162 splits off: its start is a multiple of the largest power of two in its length. */
async function rangeHash(hashes: HashReader, start: number, end: number, hash: Sha256): Promise<Uint8Array> {
  const length = end - start
  const height = Math.floor(Math.log2(length))
  if (2 ** height === length) return hashes(start, height)
  const middle = start + largestPowerOfTwoBelow(length)
  const [left, right] = await Promise.all([rangeHash(hashes, start, middle, hash), rangeHash(hashes, middle, end, hash)])
  return nodeHash(left, right, hash)
}

/** A tile of hashes has its level, 0 … 63; a bundle of entries has the level `entries`. */
export type TileLevel = number | 'entries'

export interface TilePlace {
  level: TileLevel
  index: number
  /** Hashes or entries in it, 1 … 256. */
  width: number
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** Where a static log serves a tile: `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last after an x. */
export function tilePath(level: TileLevel, index: number, width: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** Parses a path as a client asks for it. Throws `invalid-request` unless it is the one path that its tile has. */
export function parseTilePath(path: string): TilePlace {
  const [, level, number, width] = PATH.exec(path) ?? []
  if (level !== undefined && number !== undefined) {
    const place: TilePlace = {
      level: level === 'entries' ? level : Number(level),
      index: Number(number.replaceAll(/[x/]/g, '')),
      width: width === undefined ? TILE_WIDTH : Number(width),
    }
    const possible = (place.level === 'entries' || place.level < 64) && place.width <= TILE_WIDTH && Number.isSafeInteger(place.index)
    if (possible && tilePath(place.level, place.index, place.width) === path) return place
  }
  throw new Problem('invalid-request', 'expected tile/<level>/<index>[.p/<width>] as in https://c2sp.org/tlog-tiles')
}
