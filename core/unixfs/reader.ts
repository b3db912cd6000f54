/**
 * Reading UnixFS DAGs of any profile. Blocks come from `getBlock`, which answers for their bytes; the shape of the DAG is still a
 * stranger's, so depths are bounded and every size that a node claims for a child is compared with the child.
 */
import type { CID } from '../cid.ts'
import { Problem } from '../problem.ts'
import { type GetBlock, type Linked, type NamedLink, type UnixFsNode, parseNode } from './node.ts'

/** 1024 links a node hold 2^53 bytes in 6 levels; other profiles need a few more. */
const MAX_FILE_DEPTH = 32
const MAX_SHARD_DEPTH = 16
/** Leaves that are asked for before they are needed. */
const READ_AHEAD = 4

/** Size of a file in bytes, as its root claims. Throws `invalid-file` for a directory. */
export async function fileSize(getBlock: GetBlock, cid: CID): Promise<number> {
  return sizeOf(parseFileNode(cid, await getBlock(cid)))
}

/**
 * Bytes `offset` … `offset + length − 1` of a file, or what there is of them, in pieces of at most a block, which are views that the
 * caller must not change. Throws `invalid-file` when `cid` is no file or its nodes contradict each other.
 */
export async function* readFileRange(getBlock: GetBlock, cid: CID, offset = 0, length = Infinity): AsyncGenerator<Uint8Array> {
  const node = parseFileNode(cid, await getBlock(cid))
  yield* readNode(getBlock, node, offset, Math.min(offset + length, sizeOf(node)), 0)
}

/** Bytes [start, end) of what is below a node, counted from the node's first byte. */
async function* readNode(getBlock: GetBlock, node: FileLike, start: number, end: number, depth: number): AsyncGenerator<Uint8Array> {
  if (depth > MAX_FILE_DEPTH) throw new Problem('invalid-file', `a file's DAG is deeper than ${MAX_FILE_DEPTH} levels`)
  if (start < node.data.length && start < end) yield node.data.subarray(start, end)
  if (node.kind === 'raw') return

  let position = node.data.length
  const wanted: { cid: CID; sizeBytes: number; from: number; to: number }[] = []
  for (const { cid, sizeBytes } of node.children) {
    const from = Math.max(start - position, 0)
    const to = Math.min(end - position, sizeBytes)
    if (from < to) wanted.push({ cid, sizeBytes, from, to })
    position += sizeBytes
  }
  const ahead: Promise<Uint8Array>[] = []
  for (const [i, child] of wanted.entries()) {
    while (ahead.length < READ_AHEAD && i + ahead.length < wanted.length) ahead.push(getEarly(getBlock, wanted[i + ahead.length]!.cid))
    const childNode = parseFileNode(child.cid, await ahead.shift()!)
    if (sizeOf(childNode) !== child.sizeBytes)
      throw new Problem('invalid-file', `${child.cid.toString()} has ${sizeOf(childNode)} bytes, but its parent claims ${child.sizeBytes}`)
    yield* readNode(getBlock, childNode, child.from, child.to, depth + 1)
  }
}

/** Asks for a block before it is awaited: a failure is reported when, and only if, it is. */
function getEarly(getBlock: GetBlock, cid: CID): Promise<Uint8Array> {
  const block = getBlock(cid)
  block.catch(() => undefined)
  return block
}

/**
 * The entries of a directory, sharded or not, in the order of its DAG.
 * Throws `invalid-file` when `cid` is no directory, or the name of an entry is empty, `.`, `..`, holds a `/` or is there twice.
 */
export async function* listDirectory(getBlock: GetBlock, cid: CID): AsyncGenerator<NamedLink> {
  const names = new Set(['', '.', '..'])
  for await (const link of listNode(getBlock, cid, 0, new Set())) {
    if (names.has(link.name) || /[/\0]/.test(link.name))
      throw new Problem('invalid-file', `the directory ${cid.toString()} may not have an entry with the name ${JSON.stringify(link.name)}`)
    names.add(link.name)
    yield link
  }
}

/** `seen` are the shards so far: names decide the place of a shard, so no honest directory has one twice. */
async function* listNode(getBlock: GetBlock, cid: CID, depth: number, seen: Set<string>): AsyncGenerator<NamedLink> {
  const node = parseNode(cid, await getBlock(cid))
  if (node.kind === 'directory' && depth === 0) yield* node.links
  else if (node.kind === 'shard') {
    if (depth > MAX_SHARD_DEPTH || seen.has(cid.toString()))
      throw new Problem('invalid-file', `the directory's shard ${cid.toString()} is there twice or deeper than ${MAX_SHARD_DEPTH} levels`)
    seen.add(cid.toString())
    const prefixLength = (node.fanout - 1).toString(16).length
    for (const link of node.links) {
      const name = link.name.slice(prefixLength)
      if (name === '') yield* listNode(getBlock, link.cid, depth + 1, seen)
      else yield { ...link, name }
    }
  } else throw new Problem('invalid-file', `${cid.toString()} is not a ${depth === 0 ? 'directory' : 'shard of a directory'}`)
}

/** Every block of a UnixFS DAG once, parents before children, depth first. Throws what `getBlock` throws for a block that is missing. */
export async function* walkDag(getBlock: GetBlock, root: CID): AsyncGenerator<{ cid: CID; bytes: Uint8Array }> {
  const seen = new Set<string>()
  const stack = [root]
  for (let cid = stack.pop(); cid !== undefined; cid = stack.pop()) {
    const key = cid.toString()
    if (seen.has(key)) continue
    seen.add(key)
    const bytes = await getBlock(cid)
    yield { cid, bytes }
    for (const child of childrenOf(parseNode(cid, bytes)).reverse()) if (!seen.has(child.toString())) stack.push(child)
  }
}

function childrenOf(node: UnixFsNode): CID[] {
  switch (node.kind) {
    case 'raw':
      return []
    case 'file':
      return node.children.map((child) => child.cid)
    case 'directory':
    case 'shard':
      return node.links.map((link: Linked) => link.cid)
  }
}

type FileLike = Extract<UnixFsNode, { kind: 'raw' | 'file' }>

function parseFileNode(cid: CID, bytes: Uint8Array): FileLike {
  const node = parseNode(cid, bytes)
  if (node.kind === 'raw' || node.kind === 'file') return node
  throw new Problem('invalid-file', `${cid.toString()} is a directory, not a file`)
}

function sizeOf(node: FileLike): number {
  return node.kind === 'raw' ? node.data.length : node.sizeBytes
}
