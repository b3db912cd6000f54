/** `assay fetch`: a version's files, or a selection's rows, checked block by block before they touch the disk. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { registrySource } from '../client/auditSource.ts'
import { loadDocument, registryBlocks } from '../client/documents.ts'
import type { Registry } from '../client/registry.ts'
import { selectionLaw } from '../../core/audit/selections.ts'
import { signatureLaw } from '../../core/audit/signatures.ts'
import { type CID, isCid, parseCid } from '../../core/cid.ts'
import { Problem } from '../../core/problem.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { fetchFile } from '../fetching.ts'
import { fetchShard } from '../fetchingSamples.ts'
import { isCode } from '../home.ts'
import { formatBytes } from '../output.ts'
import { mapInParallel } from '../parallel.ts'

const PARALLEL_FILES = 4

export const fetch = defineCommand({
  name: 'fetch',
  summary: 'bring a version’s files, or the rows of a selection, onto the disk',
  description: [
    'Every block is hashed before it is written, and the author’s signature is verified, so it does not matter who serves it.',
    'A fetch that broke off continues. A selection becomes Arrow IPC files with just its rows.',
  ].join('\n'),
  positionals: ['REF|SELECTION'],
  options: { out: { type: 'text', value: 'DIR', required: true, help: 'the folder to write to' } },
  async run(context, { positionals: [ref], options }) {
    const folder = resolve(options.out)
    const selection = await asSelection(context.registry, ref)
    if (selection === null) await fetchVersion(context, ref, folder)
    else await fetchSelection(context, selection, folder)
    return 0
  },
})

/** The CID when it is that of a selection, null when it is something else. */
async function asSelection(registry: Registry, ref: string): Promise<CID | null> {
  if (!isCid(ref)) return null
  const cid = parseCid(ref)
  try {
    await loadDocument(registry, 'selection', cid)
    return cid
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid-document') return null
    throw error
  }
}

async function fetchVersion(context: CommandContext, ref: string, folder: string): Promise<void> {
  const { registry, output, signal } = context
  const { manifest: cid } = await registry.version(ref)
  const { value: manifest } = await signatureLaw(registrySource(registry), 'manifest', cid)
  await claimFolder(folder, cid)
  const { files, sizeBytes, name } = manifest.encoded.document
  const progress = output.progress('fetching', 'bytes')
  let done = 0
  const options = { getBlock: registryBlocks(registry), signal, onBytes: (count: number) => progress.update((done += count), sizeBytes) }
  const fetched = await mapInParallel(files, PARALLEL_FILES, (file) => fetchFile(file, folder, options))
  progress.end()
  const kept = fetched.filter((file) => file.kept).length
  output.result(
    { manifest: cid.toString(), author: manifest.author, folder, sizeBytes, files: fetched },
    `${name} by ${manifest.author}: ${files.length} file${files.length === 1 ? '' : 's'}, ${formatBytes(sizeBytes)} in ${folder}${kept > 0 ? ` (${kept} there already)` : ''}`,
  )
}

async function fetchSelection(context: CommandContext, cid: CID, folder: string): Promise<void> {
  const { registry, output, signal } = context
  const getBlock = registryBlocks(registry)
  const { value: selected } = await selectionLaw(registrySource(registry), getBlock, cid)
  const { value: index } = await signatureLaw(registrySource(registry), 'index', selected.encoded.document.index)
  await claimFolder(folder, cid)
  const { shards } = index.encoded.document
  const { selectedCount } = selected.encoded.document
  const progress = output.progress('fetching', 'rows')
  let done = 0
  const fetched = await mapInParallel([...shards.entries()], PARALLEL_FILES, async ([ordinal, shard]) => {
    signal.throwIfAborted()
    const file = await fetchShard(shard, ordinal, selected.bitmap, folder, getBlock)
    progress.update((done += file?.rows ?? 0), selectedCount)
    return file
  })
  progress.end()
  const files = fetched.filter((file) => file !== null)
  output.result(
    { selection: cid.toString(), indexer: index.author, folder, rows: selectedCount, files },
    `${selectedCount} rows in ${files.length} Arrow file${files.length === 1 ? '' : 's'} in ${folder}`,
  )
}

const CLAIM = '.assay'

/** Makes the folder and notes what is fetched into it, so that two fetches never mix. Throws `conflict` for another's folder. */
async function claimFolder(folder: string, cid: CID): Promise<void> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, CLAIM)
  try {
    await writeFile(path, `${cid.toString()}\n`, { flag: 'wx' })
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    const other = (await readFile(path, 'utf8')).trim()
    if (other !== cid.toString()) throw new Problem('conflict', `${folder} holds what was fetched for ${other}; give another --out`)
  }
}
