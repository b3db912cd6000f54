/**
 * Directories after the profile unixfs-v1-2025 (IPIP-0499): one node of named links, or, where that node would take more than 262,144
 * bytes, a HAMT of fanout 256 keyed by murmur3-x64-64 (https://specs.ipfs.tech/unixfs/, HAMT Directory).
 */
import { murmur364 } from '@multiformats/murmur3'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from '../cid.ts'
import { utf8ToBytes } from '../bytes.ts'
import { type Sha256, sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'
import { fileDagSize } from './file.ts'
import { type Linked, type NamedLink, type OnBlock, encodeNode, writeNode } from './node.ts'

const MAX_FLAT_BYTES = 262_144
const FANOUT = 256
const MURMUR3_X64_64 = 0x22n
/** Each level takes one byte of the 64-bit hash. */
const MAX_SHARD_DEPTH = 8

export interface DirectoryEntry {
  /** Relative, `/` between parts. */
  path: string
  cid: CID
  /** Bytes of the file. */
  sizeBytes: number
  /** Tsize of the file's DAG; by default that of a file of `sizeBytes` under the same profile. */
  dagSizeBytes?: number
}

/** Builds the directory of these files with the folders that their paths name. Throws `invalid-request` when two paths collide. */
export function buildDirectory(entries: Iterable<DirectoryEntry>, onBlock?: OnBlock, hash: Sha256 = sha256): CID {
  return writeFolder(arrange(entries), onBlock, hash).cid
}

type Folder = Map<string, Folder | Linked>

function arrange(entries: Iterable<DirectoryEntry>): Folder {
  const root: Folder = new Map()
  for (const { path, cid, sizeBytes, dagSizeBytes } of entries) {
    const parts = path.split('/')
    const name = parts.pop()!
    let folder = root
    for (const part of parts) {
      const next = folder.get(part) ?? new Map<string, Folder | Linked>()
      if (!(next instanceof Map)) throw new Problem('invalid-request', `"${path}" lies in something that is a file`)
      folder.set(part, next)
      folder = next
    }
    if (folder.has(name)) throw new Problem('invalid-request', `the path "${path}" is there twice`)
    folder.set(name, { cid, dagSizeBytes: dagSizeBytes ?? fileDagSize(sizeBytes) })
  }
  return root
}

function writeFolder(folder: Folder, onBlock: OnBlock | undefined, hash: Sha256): Linked {
  const links: NamedLink[] = []
  for (const [name, child] of folder) links.push({ name, ...(child instanceof Map ? writeFolder(child, onBlock, hash) : child) })
  const data = new UnixFS({ type: 'directory' })
  if (encodeNode(data, links).length <= MAX_FLAT_BYTES) return writeNode(data, links, onBlock, hash)
  return writeShard(
    links.map((link) => ({ link, key: hashName(link.name) })),
    0,
    onBlock,
    hash,
  )
}

interface Keyed {
  link: NamedLink
  /** 8 bytes. */
  key: Uint8Array
}

/** A shard holds an entry under `XX` + its name where no other has that byte, and a further shard under `XX` otherwise. */
function writeShard(entries: readonly Keyed[], depth: number, onBlock: OnBlock | undefined, hash: Sha256): Linked {
  if (depth === MAX_SHARD_DEPTH) throw new Problem('invalid-request', `"${entries[0]!.link.name}" and another name have the same hash`)
  const slots = Array.from({ length: FANOUT }, (): Keyed[] => [])
  for (const entry of entries) slots[entry.key[depth]!]!.push(entry)
  const bits = new Uint8Array(FANOUT / 8)
  const links: NamedLink[] = []
  for (const [slot, members] of slots.entries()) {
    if (members.length === 0) continue
    bits[bits.length - 1 - (slot >> 3)]! |= 1 << (slot & 7)
    const prefix = slot.toString(16).toUpperCase().padStart(2, '0')
    if (members.length === 1) links.push({ ...members[0]!.link, name: prefix + members[0]!.link.name })
    else links.push({ name: prefix, ...writeShard(members, depth + 1, onBlock, hash) })
  }
  // A big-endian number without leading zeros, as Kubo writes it.
  const data = bits.subarray(bits.findIndex((byte) => byte !== 0))
  return writeNode(
    new UnixFS({ type: 'hamt-sharded-directory', data, fanout: BigInt(FANOUT), hashType: MURMUR3_X64_64 }),
    links,
    onBlock,
    hash,
  )
}

function hashName(name: string): Uint8Array {
  // The type allows a promise, as for any multiformats hasher; this one computes at once.
  return murmur364.encode(utf8ToBytes(name)) as Uint8Array
}
