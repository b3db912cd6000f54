/**
 * One node of a UnixFS DAG (https://specs.ipfs.tech/unixfs/): a raw leaf, or a DAG-PB block whose Data is a UnixFS message.
 * Written after the profile unixfs-v1-2025 (IPIP-0499): CIDv1, sha2-256, raw leaves, no mode and no mtime.
 */
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { type CID, CODEC_DAG_PB, CODEC_RAW, cidOf } from '../cid.ts'
import { type Sha256, sha256 } from '../hash.ts'
import { Problem, messageOf } from '../problem.ts'

/** Reads a block. The bytes must have been verified against the CID. */
export type GetBlock = (cid: CID) => Promise<Uint8Array>

/** Gets each new block once, children before parents. */
export type OnBlock = (cid: CID, bytes: Uint8Array) => void

/** A subtree as its parent links to it. */
export interface Linked {
  cid: CID
  /** Bytes of all its blocks, repeated ones counted again: the link's Tsize. */
  dagSizeBytes: number
}

export interface NamedLink extends Linked {
  name: string
}

export type UnixFsNode =
  | { kind: 'raw'; data: Uint8Array }
  | { kind: 'file'; data: Uint8Array; children: { cid: CID; sizeBytes: number }[]; sizeBytes: number }
  | { kind: 'directory'; links: NamedLink[] }
  | { kind: 'shard'; fanout: number; links: NamedLink[] }

/** Encodes a node and gives it out. Links are sorted by name. */
export function writeNode(data: UnixFS, links: readonly NamedLink[], onBlock?: OnBlock, hash: Sha256 = sha256): Linked {
  const bytes = encodeNode(data, links)
  const cid = cidOf(CODEC_DAG_PB, bytes, hash)
  onBlock?.(cid, bytes)
  return { cid, dagSizeBytes: links.reduce((sum, link) => sum + link.dagSizeBytes, bytes.length) }
}

/** The DAG-PB bytes of a node. */
export function encodeNode(data: UnixFS, links: readonly NamedLink[]): Uint8Array {
  return dagPb.encode(
    dagPb.prepare({
      Data: data.marshal(),
      Links: links.map(({ name, cid, dagSizeBytes }) => ({ Hash: cid, Name: name, Tsize: dagSizeBytes })),
    }),
  )
}

/** Parses a block of a UnixFS DAG from outside. Throws `unsupported-format` for other codecs and node types, `invalid-file` for a wrong form. */
export function parseNode(cid: CID, bytes: Uint8Array): UnixFsNode {
  if (cid.code === CODEC_RAW) return { kind: 'raw', data: bytes }
  if (cid.code !== CODEC_DAG_PB)
    throw new Problem('unsupported-format', `${cid.toString()} is not a UnixFS node: codec 0x${cid.code.toString(16)}`)
  let node: dagPb.PBNode
  let message: UnixFS
  try {
    node = dagPb.decode(bytes)
    if (node.Data === undefined) throw new TypeError('no Data')
    message = UnixFS.unmarshal(node.Data)
  } catch (cause) {
    throw new Problem('invalid-file', `${cid.toString()} is not a UnixFS node: ${messageOf(cause)}`, { cause })
  }
  const links = node.Links.map((link) => ({ name: link.Name ?? '', cid: link.Hash, dagSizeBytes: link.Tsize ?? 0 }))
  switch (message.type) {
    case 'raw':
    case 'file':
      return parseFile(cid, message, links)
    case 'directory':
      return { kind: 'directory', links }
    case 'hamt-sharded-directory':
      return { kind: 'shard', fanout: parseFanout(cid, message), links }
    default:
      throw new Problem('unsupported-format', `${cid.toString()} is a UnixFS ${message.type}; expected a file or a directory`)
  }
}

function parseFile(cid: CID, message: UnixFS, links: readonly NamedLink[]): UnixFsNode {
  if (message.blockSizes.length !== links.length)
    throw new Problem('invalid-file', `${cid.toString()} has ${links.length} links, but sizes for ${message.blockSizes.length}`)
  const sizeBytes = message.fileSize()
  if (sizeBytes > BigInt(Number.MAX_SAFE_INTEGER)) throw new Problem('invalid-file', `${cid.toString()} claims ${sizeBytes} bytes`)
  return {
    kind: 'file',
    data: message.data ?? new Uint8Array(0),
    children: links.map((link, i) => ({ cid: link.cid, sizeBytes: Number(message.blockSizes[i]!) })),
    sizeBytes: Number(sizeBytes),
  }
}

function parseFanout(cid: CID, message: UnixFS): number {
  const fanout = Number(message.fanout ?? 0n)
  if (fanout < 8 || fanout > 1024 || !Number.isInteger(Math.log2(fanout)))
    throw new Problem('invalid-file', `${cid.toString()} is a directory shard of fanout ${fanout}; expected a power of two from 8 to 1024`)
  return fanout
}
