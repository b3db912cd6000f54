/**
 * Files as balanced DAGs after the profile unixfs-v1-2025 (IPIP-0499): raw leaves of 1 MiB, at most 1024 links a node; a file of one
 * leaf is that leaf. One pass, memory for one chunk and 1024 links a level.
 */
import { UnixFS } from 'ipfs-unixfs'
import { CODEC_RAW, cidFromDigest, cidOf } from '../cid.ts'
import { DIGEST_LENGTH, type Sha256, sha256 } from '../hash.ts'
import { type Linked, type OnBlock, encodeNode, writeNode } from './node.ts'

export const CHUNK_BYTES = 1024 * 1024
const MAX_LINKS = 1024

export interface FileNode extends Linked {
  /** Bytes of the file below this node. */
  sizeBytes: number
}

export interface FileBuilder {
  /**
   * Adds the next bytes of the file, any number. Where whole chunks begin at a chunk's boundary the leaf given out is a view of
   * `bytes`; all else is copied.
   */
  push(bytes: Uint8Array): void
  /** Closes the file and gives out what remains. */
  finish(): FileNode
}

export interface FileBuilderOptions {
  hash?: Sha256
  /** Absent to learn the CID only. */
  onBlock?: OnBlock
  /** A buffer of CHUNK_BYTES, whatever its content, for a chunk that comes in pieces; the leaf lies in it. Default: a new one each time. */
  chunkBuffer?: () => Uint8Array
}

export function createFileBuilder({ hash = sha256, onBlock, chunkBuffer }: FileBuilderOptions = {}): FileBuilder {
  const pending = createChunkBuffer(chunkBuffer)
  /** levels[0] are leaves without a parent yet, levels[1] their parents without one, and so on. */
  const levels: FileNode[][] = [[]]
  let finished = false

  function addLeaf(bytes: Uint8Array): void {
    const cid = cidOf(CODEC_RAW, bytes, hash)
    onBlock?.(cid, bytes)
    addNode(0, { cid, sizeBytes: bytes.length, dagSizeBytes: bytes.length })
  }

  function addNode(level: number, node: FileNode): void {
    const nodes = (levels[level] ??= [])
    nodes.push(node)
    if (nodes.length === MAX_LINKS) closeParent(level)
  }

  function closeParent(level: number): void {
    const children = levels[level]!
    levels[level] = []
    const { data, links, sizeBytes } = fileNode(children)
    addNode(level + 1, { ...writeNode(data, links, onBlock, hash), sizeBytes })
  }

  return {
    push(bytes) {
      if (finished) throw new Error('the file is finished')
      for (let rest = bytes; rest.length > 0;) {
        if (pending.length() === 0 && rest.length >= CHUNK_BYTES) {
          addLeaf(rest.subarray(0, CHUNK_BYTES))
          rest = rest.subarray(CHUNK_BYTES)
        } else {
          rest = rest.subarray(pending.append(rest))
          if (pending.length() === CHUNK_BYTES) addLeaf(pending.take())
        }
      }
    },
    finish() {
      if (finished) throw new Error('the file is finished')
      finished = true
      const isEmpty = levels.length === 1 && levels[0]!.length === 0
      if (isEmpty || pending.length() > 0) addLeaf(pending.take())
      for (let level = 0; ; level++) {
        const nodes = levels[level]!
        if (level === levels.length - 1 && nodes.length === 1) return nodes[0]!
        if (nodes.length > 0) closeParent(level)
      }
    },
  }
}

/** Tsize of a file of this size under the profile, for files whose DAG is not at hand. */
export function fileDagSize(sizeBytes: number): number {
  let count = Math.max(1, Math.ceil(sizeBytes / CHUNK_BYTES))
  // The nodes of a level are alike but for the last.
  let full: FileNode = { cid: ANY_CID, sizeBytes: CHUNK_BYTES, dagSizeBytes: CHUNK_BYTES }
  const remainder = sizeBytes - (count - 1) * CHUNK_BYTES
  let last: FileNode = { cid: ANY_CID, sizeBytes: remainder, dagSizeBytes: remainder }
  while (count > 1) {
    const parents = Math.ceil(count / MAX_LINKS)
    const lastLinks = count - (parents - 1) * MAX_LINKS
    last = measure([...Array.from({ length: lastLinks - 1 }, () => full), last])
    if (parents > 1) full = measure(Array.from({ length: MAX_LINKS }, () => full))
    count = parents
  }
  return last.dagSizeBytes
}

/** Only the length of a CID enters a node's size. */
const ANY_CID = cidFromDigest(CODEC_RAW, new Uint8Array(DIGEST_LENGTH))

function measure(children: readonly FileNode[]): FileNode {
  const { data, links, sizeBytes } = fileNode(children)
  const dagSizeBytes = children.reduce((sum, child) => sum + child.dagSizeBytes, encodeNode(data, links).length)
  return { cid: ANY_CID, sizeBytes, dagSizeBytes }
}

function fileNode(children: readonly FileNode[]) {
  return {
    data: new UnixFS({ type: 'file', blockSizes: children.map((child) => BigInt(child.sizeBytes)) }),
    links: children.map(({ cid, dagSizeBytes }) => ({ name: '', cid, dagSizeBytes })),
    sizeBytes: children.reduce((sum, child) => sum + child.sizeBytes, 0),
  }
}

/** Collects at most one chunk: in a buffer that just fits the first piece, so that small files stay small, and then in one of a whole chunk. */
function createChunkBuffer(wholeBuffer: () => Uint8Array = () => new Uint8Array(CHUNK_BYTES)) {
  let buffer: Uint8Array = new Uint8Array(0)
  let length = 0
  return {
    length: () => length,
    /** Copies what fits and returns how many bytes that was. */
    append(bytes: Uint8Array): number {
      const count = Math.min(bytes.length, CHUNK_BYTES - length)
      if (length + count > buffer.length) {
        const grown = length === 0 ? new Uint8Array(count) : wholeBuffer()
        grown.set(buffer.subarray(0, length))
        buffer = grown
      }
      buffer.set(bytes.subarray(0, count), length)
      length += count
      return count
    },
    /** Hands the bytes over and starts anew. */
    take(): Uint8Array {
      const bytes = buffer.subarray(0, length)
      buffer = new Uint8Array(0)
      length = 0
      return bytes
    },
  }
}
