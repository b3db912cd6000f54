/** From files on disk to a version of a data set: hash, sign, upload what is missing, announce. Repeating it continues. */
import { equalBytes } from '../core/bytes.ts'
import { DatasetName } from '../core/documents/common.ts'
import { type DocumentOf, type Encoded, encodeDagJson, encodeDocument } from '../core/documents/document.ts'
import type { Signer } from '../core/keys.ts'
import { Problem } from '../core/problem.ts'
import { attest } from '../core/statement.ts'
import { buildDirectory } from '../core/unixfs/directory.ts'
import { withToken } from './account.ts'
import { loadDocument } from './client/documents.ts'
import type { Version } from './client/registry.ts'
import type { CommandContext } from './command.ts'
import { type HashedFile, distinctFiles, hashLocalFile, listLocalFiles, localFileBody, totalBytes } from './localFiles.ts'
import { formatBytes } from './output.ts'
import { mapInParallel } from './parallel.ts'

type Manifest = DocumentOf<'manifest'>

/** What the contributor says of the files. */
export type Description = Omit<Manifest, 'kind' | 'version' | 'author' | 'createdAt' | 'root' | 'sizeBytes' | 'files' | 'previous'>

export interface Publication {
  manifest: Encoded<Manifest>
  number: number
  /** False where the head of the data set says the same already. */
  created: boolean
}

/** Publishes a folder or a file. Throws Problems of the files, of the description and of the registry. */
export async function publishPath(context: CommandContext, path: string, description: Description): Promise<Publication> {
  const { registry, home, output, clock } = context
  // What is cheap to refuse is refused before a large folder is read.
  const name = DatasetName.safeParse(description.name)
  if (!name.success) throw new Problem('invalid-request', `"${description.name}" is no name: ${name.error.issues[0]?.message ?? ''}`)
  const signer = await home.signer()
  const head = await findHead(context, description.name)
  const files = await hashFiles(context, path)
  const previous = head === null ? null : await loadDocument(registry, 'manifest', head.manifest)
  const manifest = buildManifest(files, description, {
    signer,
    createdAt: clock().toISOString(),
    ...(previous === null ? {} : { previous }),
  })
  if (head !== null && previous !== null && head.state !== 'failed' && saysTheSame(previous.document, manifest.document)) {
    output.say(`${description.name}@${head.number} says the same already`)
    return { manifest: previous, number: head.number, created: false }
  }

  await uploadMissing(context, files)
  const envelope = attest({ kind: 'manifest', ...manifest }, { signer, createdAt: manifest.document.createdAt, name: description.name })
  const { number } = await withToken(context, (token) => registry.publish(description.name, { document: manifest.bytes, envelope }, token))
  return { manifest, number, created: true }
}

async function hashFiles({ output, signal }: CommandContext, path: string): Promise<HashedFile[]> {
  const files = await listLocalFiles(path)
  const total = totalBytes(files)
  const progress = output.progress('reading', 'bytes')
  const hashed: HashedFile[] = []
  let done = 0
  for (const file of files) {
    hashed.push(await hashLocalFile(file, signal, (count) => progress.update((done += count), total)))
  }
  progress.end()
  output.say(`read ${files.length} file${files.length === 1 ? '' : 's'}, ${formatBytes(total)}`)
  return hashed
}

async function findHead({ registry }: CommandContext, name: string): Promise<Version | null> {
  try {
    return await registry.version(name)
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return null
    throw error
  }
}

/** The manifest of these files. Throws `invalid-document`, naming the field of the description that is wrong. */
export function buildManifest(
  files: readonly HashedFile[],
  description: Description,
  by: { signer: Signer; createdAt: string; previous?: Encoded<Manifest> },
): Encoded<Manifest> {
  const objects = files.map(({ object }) => object)
  return encodeDocument('manifest', {
    kind: 'manifest',
    version: 1,
    ...description,
    author: by.signer.did,
    createdAt: by.createdAt,
    root: buildDirectory(objects),
    sizeBytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    files: objects,
    ...(by.previous === undefined ? {} : { previous: by.previous.cid }),
  })
}

/** Whether two manifests differ in nothing but when they were made and what they follow. */
export function saysTheSame(a: Manifest, b: Manifest): boolean {
  const content = ({ createdAt: _createdAt, previous: _previous, ...rest }: Manifest) => encodeDagJson(rest)
  return equalBytes(content(a), content(b))
}

/** Uploads of small files that are under way at once. */
const PARALLEL_UPLOADS = 4

async function uploadMissing(context: CommandContext, files: readonly HashedFile[]): Promise<void> {
  const { output, registry, signal } = context
  const wanted = [...distinctFiles(files).values()]
  const present = await mapInParallel(wanted, PARALLEL_UPLOADS, ({ object }) => registry.hasFile(object.cid))
  const missing = wanted.filter((_, i) => present[i] === false)
  const total = totalBytes(missing)
  const progress = output.progress('uploading', 'bytes')
  let done = 0
  await withToken(context, async (token) => {
    await mapInParallel(missing, PARALLEL_UPLOADS, async (file) => {
      let sent = 0
      const body = () => {
        // A further attempt sends the file from its beginning.
        done -= sent
        sent = 0
        return localFileBody(file, signal, (count) => {
          sent += count
          progress.update((done += count), total)
        })
      }
      await registry.putFile(file.object.cid, token, body)
    })
  })
  progress.end()
  if (missing.length > 0) output.say(`uploaded ${missing.length} file${missing.length === 1 ? '' : 's'}, ${formatBytes(total)}`)
}
