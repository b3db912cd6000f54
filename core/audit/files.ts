/** The law `files`: what the manifest lists is there, whole, to the byte. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '../bytes.ts'
import type { CID } from '../cid.ts'
import type { Manifest } from '../documents/manifest.ts'
import { Problem } from '../problem.ts'
import { listDirectory, readFileRange } from '../unixfs/reader.ts'
import type { Signed } from './signatures.ts'
import type { GetBlock } from './source.ts'
import { type Held, broken } from './step.ts'

/** A SHA-256 that takes its input in pieces, as `node:crypto` and `@noble/hashes` have it. */
export interface StreamingSha256 {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** The directory lists exactly the manifest's files, and each of them has its blocks, size and SHA-256. */
export async function filesLaw(
  getBlock: GetBlock,
  manifest: Signed<'manifest'>,
  createSha256: () => StreamingSha256 = () => sha256.create(),
): Promise<Held<null>> {
  const { document } = manifest.encoded
  try {
    await checkDirectory(getBlock, document)
    for (const file of document.files) {
      const hash = createSha256()
      let sizeBytes = 0
      for await (const piece of readFileRange(getBlock, file.cid, 0, file.sizeBytes + 1)) {
        hash.update(piece)
        sizeBytes += piece.length
      }
      if (sizeBytes !== file.sizeBytes) broken(`${file.path} has ${sizeBytes} bytes, not ${file.sizeBytes}`)
      if (bytesToHex(hash.digest()) !== file.sha256) broken(`${file.path} does not have the SHA-256 that the manifest gives`)
    }
  } catch (error) {
    // To be whole is the law itself, so that a block which its source does not have breaks it.
    if (error instanceof Problem && error.code === 'block-missing') broken(`the data set is not whole: ${error.detail}`)
    throw error
  }
  const count = document.files.length
  return { detail: `${count} file${count === 1 ? '' : 's'}, ${document.sizeBytes} bytes`, value: null }
}

async function checkDirectory(getBlock: GetBlock, document: Manifest): Promise<void> {
  const expected = new Map(document.files.map((file) => [file.path, file.cid]))
  const folders = foldersOf(document)
  const walk = async (root: CID, prefix: string): Promise<void> => {
    for await (const entry of listDirectory(getBlock, root)) {
      const path = `${prefix}${entry.name}`
      if (folders.has(path)) {
        await walk(entry.cid, `${path}/`)
        continue
      }
      const cid = expected.get(path)
      if (cid === undefined) broken(`the directory holds ${path}, which the manifest does not list`)
      if (!cid.equals(entry.cid)) broken(`the directory holds another ${path} than the manifest lists`)
      expected.delete(path)
    }
  }
  await walk(document.root, '')
  const missing = [...expected.keys()][0]
  if (missing !== undefined) broken(`the directory lacks ${missing}, which the manifest lists`)
}

/** Every folder that the manifest's paths go through. */
function foldersOf({ files }: Manifest): Set<string> {
  const folders = new Set<string>()
  for (const { path } of files) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) folders.add(path.slice(0, end))
  }
  return folders
}
