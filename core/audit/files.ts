/** The law `files`: what the manifest lists is there, whole, to the byte. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '../bytes.ts'
import { Problem } from '../problem.ts'
import { buildDirectory } from '../unixfs/directory.ts'
import { readFileRange } from '../unixfs/reader.ts'
import type { Signed } from './signatures.ts'
import type { GetBlock } from '../unixfs/node.ts'
import { type Held, broken } from './step.ts'

/** A SHA-256 that takes its input in pieces, as `node:crypto` and `@noble/hashes` have it. */
export interface StreamingSha256 {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** The root is the directory of exactly the manifest's files, and each of them has all its blocks, its size and its SHA-256. */
export async function filesLaw(
  getBlock: GetBlock,
  manifest: Signed<'manifest'>,
  createSha256: () => StreamingSha256 = () => sha256.create(),
): Promise<Held<null>> {
  const { files, root, sizeBytes } = manifest.encoded.document
  if (!buildDirectory(files).equals(root)) broken('the root is not the directory of the files that the manifest lists')
  for (const file of files) {
    const hash = createSha256()
    let readBytes = 0
    try {
      for await (const piece of readFileRange(getBlock, file.cid)) {
        hash.update(piece)
        readBytes += piece.length
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      // To be whole is the law itself, so that a block which its source does not have breaks it.
      if (error.code === 'block-missing' || error.code === 'not-found') broken(`${file.path} is not whole: ${error.detail}`)
      throw new Problem(error.code, `${file.path}: ${error.detail}`, { cause: error })
    }
    if (readBytes !== file.sizeBytes) broken(`${file.path} has ${readBytes} bytes, not ${file.sizeBytes}`)
    if (bytesToHex(hash.digest()) !== file.sha256) broken(`${file.path} does not have the SHA-256 that the manifest gives`)
  }
  return { detail: `${files.length} file${files.length === 1 ? '' : 's'}, ${sizeBytes} bytes`, value: null }
}
