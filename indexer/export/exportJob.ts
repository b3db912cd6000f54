/**
 * The export job: a report, with the rows that pass under the default policy, or a selection becomes files that anyone can read. The order of
 * writes: files, then the export document, all pinned; then the row that makes it visible. Doing it again gives the same document.
 */
import { bitmapFromBytes } from '../../core/bitmap.ts'
import { utf8ToBytes } from '../../core/bytes.ts'
import { type CID, CODEC_DAG_JSON } from '../../core/cid.ts'
import type { Encoded } from '../../core/documents/document.ts'
import type { FileObject, Manifest } from '../../core/documents/manifest.ts'
import type { Report } from '../../core/documents/report.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { POLICIES, type Selection } from '../../core/documents/selection.ts'
import { type SplitSize, datasetCard } from '../../core/hub/card.ts'
import { type Config, configOf, configsBeside } from '../../core/hub/configs.ts'
import { type Export, encodeExport } from '../../core/hub/exportDocument.ts'
import { exportFolders } from '../../core/hub/exportFolders.ts'
import { splitsOf } from '../../core/hub/splits.ts'
import { yamlMapping } from '../../core/hub/yaml.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { documentKind, loadDocument } from '../../store/documents.ts'
import { exportsOf, saveExport } from '../../store/exports.ts'
import { storeFile } from '../../store/files.ts'
import type { JobHandler } from '../../store/jobs.ts'
import { storeSelection } from '../../store/selections.ts'
import { MAX_README_BYTES, configsOf } from './frontMatter.ts'
import { type WrittenSplit, writeParquetFiles } from './parquetFiles.ts'

const README = 'README.md'
/** `datasets` reads it after README.md and lets it prevail. */
const METADATA = '.huggingface.yaml'
const PARQUET = /\.(parquet|pq)$/i

interface ExportContext {
  db: Database
  blocks: Blocks
}

/** What an export is made of, looked up. */
interface Subject {
  cid: CID
  manifest: Encoded<Manifest>
  index: Encoded<SampleIndex>
  selection: Encoded<Selection>
  report: Encoded<Report> | null
}

/** Writes the rows of a selection (of all samples without one) into a folder. */
type WriteRows = (folder: string, selection?: Selection) => Promise<{ files: FileObject[]; splits: WrittenSplit[] }>

/** The handler of `export` jobs. */
export function createExportHandler({ db, blocks }: ExportContext): JobHandler {
  return async ({ subject: cid }, { signal, progress }) => {
    if ((await exportsOf(db, [cid])).size > 0) return
    const subject = await loadSubject({ db, blocks }, cid)
    const { document: index } = subject.index
    let done = 0
    const onSamples = (count: number) => progress({ stage: 'writing Parquet', done: (done += count), total: null })
    const write: WriteRows = async (folder, selection) => {
      const bitmap = selection === undefined ? undefined : await blocks.readAll(selection.bitmap, Math.ceil(index.sampleCount / 8))
      const selected = bitmap === undefined ? {} : { selected: bitmapFromBytes(bitmap, index.sampleCount) }
      return writeParquetFiles({ db, blocks, index, folder, signal, onSamples, ...selected })
    }
    const files =
      subject.report === null ? await selectionFiles(subject, write, { db, blocks }) : await reportFiles(subject, write, { db, blocks })
    const document: Export = {
      kind: 'export',
      version: 1,
      manifest: subject.manifest.cid,
      subject: cid,
      selection: subject.selection.cid,
      files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    }
    signal.throwIfAborted()
    const encoded = encodeExport(document, blocks.hash)
    await blocks.put(CODEC_DAG_JSON, encoded.bytes)
    await blocks.pin(encoded.cid, { recursive: false })
    await saveExport(db, encoded.cid, document)
  }
}

async function loadSubject({ db, blocks }: ExportContext, cid: CID): Promise<Subject> {
  const isReport = (await documentKind(db, cid)) === 'report'
  const report = isReport ? await loadDocument(blocks, 'report', cid) : null
  const selection =
    report === null
      ? await loadDocument(blocks, 'selection', cid)
      : await storeSelection(db, blocks, { index: report.document.index, reports: [cid], policy: POLICIES.verified })
  const index = await loadDocument(blocks, 'index', selection.document.index)
  return { cid, manifest: await loadDocument(blocks, 'manifest', index.document.manifest), index, selection, report }
}

/** The rows of a selection, and a card, for themselves. */
async function selectionFiles(subject: Subject, write: WriteRows, store: ExportContext): Promise<FileObject[]> {
  const { files, splits } = await write('data', subject.selection.document)
  const configs = splits.length === 0 ? [] : [configOf('default', splits)]
  const { manifest, index, selection } = subject
  return [...files, await storeText(store, README, datasetCard({ manifest, index, selection, configs, sizes: sizesOf('default', splits) }))]
}

/**
 * What stands beside the files as published: all rows as Parquet where they came otherwise, the rows that pass, and what tells of them.
 * Nothing where the publisher's own metadata cannot be read: without it a client would take generated files for published ones.
 */
async function reportFiles(subject: Subject, write: WriteRows, store: ExportContext): Promise<FileObject[]> {
  const { manifest, index, selection, report } = subject
  const published = manifest.document.files.map((file) => file.path)
  const own = await ownConfigs(store.blocks, manifest.document)
  if (own === null) return []
  const folders = exportFolders(published)
  const isParquet = index.document.files.every(({ path }) => PARQUET.test(path))
  const whole = isParquet ? null : await write(folders.whole)
  const verified = await write(folders.verified, selection.document)
  const configs = configsBeside({ own, index: index.document, whole: whole?.splits ?? null, verified: verified.splits })
  const generated = [...(whole?.files ?? []), ...verified.files]
  if (published.includes(README)) return [...generated, await storeText(store, METADATA, yamlMapping({ configs }))]
  const allSizes = splitsOf(index.document.files).map(({ name, ranges }) => ({
    config: 'default',
    split: name,
    sampleCount: ranges.reduce((sum, { from, to }) => sum + to - from, 0),
  }))
  const sizes = [...allSizes, ...sizesOf('verified', verified.splits)]
  const about = { manifest, index, selection, configs, sizes, ...(report === null ? {} : { report }) }
  return [...generated, await storeText(store, README, datasetCard(about))]
}

/** What a publisher's README.md configures; null where a publisher's metadata is not ours to change. */
async function ownConfigs(blocks: Blocks, { files }: Manifest): Promise<Config[] | null> {
  if (files.some(({ path }) => path === METADATA)) return null
  const readme = files.find(({ path }) => path === README)
  if (readme === undefined) return []
  if (readme.sizeBytes > MAX_README_BYTES) return null
  return configsOf(Buffer.from(await blocks.readAll(readme.cid, MAX_README_BYTES)).toString('utf8'))
}

async function storeText({ db, blocks }: ExportContext, path: string, text: string): Promise<FileObject> {
  const source = (async function* () {
    yield utf8ToBytes(text)
  })()
  const { cid, sizeBytes, sha256 } = await storeFile(db, blocks, source)
  return { path, cid, sizeBytes, sha256 }
}

function sizesOf(config: string, splits: readonly WrittenSplit[]): SplitSize[] {
  return splits.map(({ name, sampleCount }) => ({ config, split: name, sampleCount }))
}
