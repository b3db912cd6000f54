/** Whole UnixFS files of a known greatest size, from blocks that were verified. */
import type { CID } from '../cid.ts'
import { Problem } from '../problem.ts'
import { fileSize, readFileRange } from '../unixfs/reader.ts'
import type { GetBlock } from '../unixfs/node.ts'

/** Reads a file. Throws `too-large` for more than `maxBytes`. */
export async function readArtifact(getBlock: GetBlock, cid: CID, maxBytes: number): Promise<Uint8Array> {
  const sizeBytes = await fileSize(getBlock, cid)
  if (sizeBytes > maxBytes) throw new Problem('too-large', `${cid.toString()} has ${sizeBytes} bytes; at most ${maxBytes} make sense`)
  return readRange(getBlock, cid, 0, sizeBytes)
}

/** Reads `lengthBytes` bytes of a file. Throws `block-corrupt` when the file ends before. */
export async function readRange(getBlock: GetBlock, cid: CID, offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthBytes)
  let filled = 0
  for await (const piece of readFileRange(getBlock, cid, offsetBytes, lengthBytes)) {
    bytes.set(piece, filled)
    filled += piece.length
  }
  if (filled !== lengthBytes) throw new Problem('block-corrupt', `${cid.toString()} ends ${lengthBytes - filled} bytes too early`)
  return bytes
}
