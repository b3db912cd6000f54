/** Manifests of files in memory, their bytes in the blocks. */
import { signerFromSeed } from '../../core/keys.ts'
import { encodeDocument, type Encoded } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import type { Blocks } from '../../store/blocks.ts'

export const CONTRIBUTOR = signerFromSeed(new Uint8Array(32).fill(1))
export const CREATED_AT = '2026-11-20T06:00:00.000Z'

export async function publish(
  blocks: Blocks,
  contents: Record<string, string | Uint8Array>,
  more: Partial<Manifest> = {},
): Promise<Encoded<Manifest>> {
  const files: Manifest['files'] = []
  for (const path of Object.keys(contents).sort()) {
    const content = contents[path]!
    const { cid, sizeBytes, sha256 } = await blocks.importBytes(typeof content === 'string' ? Buffer.from(content) : content)
    files.push({ path, cid, sizeBytes, sha256 })
  }
  return encodeDocument('manifest', {
    kind: 'manifest',
    version: 1,
    name: 'tests/data',
    author: CONTRIBUTOR.did,
    createdAt: CREATED_AT,
    root: await blocks.importDirectory(files),
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    files,
    license: 'CC0-1.0',
    sources: [],
    synthetic: { share: 'none', generators: [] },
    ...more,
  })
}
