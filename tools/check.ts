/**
 * `assay check PATH`: the report that a node would make of files on this disk. The indexer's readers, the index, the corpus and the
 * detectors are the node's own; there is no server, no database and no signature, and nothing leaves the machine.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listLocalFiles, type LocalFile, totalBytes } from '../cli/localFiles.ts'
import { printable } from '../cli/output.ts'
import { describeReport, plainReport } from '../cli/reportText.ts'
import { parseDagJson } from '../core/documents/document.ts'
import { type Manifest, SyntheticDeclaration } from '../core/documents/manifest.ts'
import type { Report, State } from '../core/documents/report.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { Evidence } from '../core/findings.ts'
import { Problem } from '../core/problem.ts'
import { type Blocks, openBlocks } from '../store/blocks.ts'
import { buildReport } from '../verifier/buildReport.ts'
import { asStored } from '../verifier/embedding/embedder.ts'
import { buildRecipe } from '../verifier/recipe.ts'
import { embedderOf, imageEmbedderOf } from './embedderOf.ts'
import { indexLocally } from './localIndex.ts'
import { shippedReferences } from './shippedReferences.ts'
import { formatBytes, parseWords, progressNotes, type Tool, type ToolContext, type ToolExit } from './tool.ts'

const EXIT_CODES: Record<State, ToolExit> = { CLEAR: 0, FLAGGED: 1, INCONCLUSIVE: 2 }
const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024
const DEFAULT_FINDINGS_SHOWN = 4

export const check: Tool = {
  name: 'check',
  async run(context, words) {
    const { result, signal } = context
    const { values, positionals } = parseWords(words, {
      'no-model': { type: 'boolean', default: false },
      'text-column': { type: 'string' },
      'label-column': { type: 'string' },
      'text-unit': { type: 'string' },
      language: { type: 'string' },
      domain: { type: 'string' },
      synthetic: { type: 'string', default: 'unknown' },
      generator: { type: 'string', multiple: true, default: [] },
      evidence: { type: 'string', default: String(DEFAULT_FINDINGS_SHOWN) },
      out: { type: 'string' },
    })
    const [path] = positionals
    if (path === undefined || positionals.length > 1) throw new Problem('invalid-request', 'check takes one file or folder')
    const { 'text-column': text, 'label-column': label, 'text-unit': textUnit, language, domain } = values
    const synthetic = SyntheticDeclaration.safeParse({ share: values.synthetic, generators: values.generator })
    if (!synthetic.success) throw new Problem('invalid-request', '--synthetic is none, some, all or unknown; a --generator is a name')
    const declared: Declared = {
      synthetic: synthetic.data,
      ...(language === undefined ? {} : { language }),
      ...(domain === undefined ? {} : { domain }),
      ...(textUnit === undefined ? {} : { textUnit: textUnit === 'paragraph' ? 'paragraph' : 'line' }),
      ...(text === undefined && label === undefined
        ? {}
        : { columns: { ...(text === undefined ? {} : { text }), ...(label === undefined ? {} : { label }) } }),
    }

    const files = await listLocalFiles(path)
    await using disk = await openScratch()
    const { index, report } = await reportOn(files, declared, { context, disk, withModel: !values['no-model'] })
    const evidence = Evidence.parse(parseDagJson(await disk.blocks.readAll(report.evidence, MAX_EVIDENCE_BYTES), MAX_EVIDENCE_BYTES))
    if (values.out !== undefined) await writeFile(values.out, disk.blocks.readFile(report.findings), { signal })
    const read = index.files.filter(({ sampleCount }) => sampleCount > 0)
    result(
      { path, files: read, skippedFiles: index.skippedFiles, ...plainReport(report), evidence },
      [
        `checked  ${printable(path)}, ${formatBytes(totalBytes(files))}; nothing was sent`,
        ...(read.length > 1 ? read.map((file) => `         ${printable(file.path)}: samples ${sampleRange(file)}`) : []),
        describeReport(report, evidence, Number(values.evidence)),
      ].join('\n'),
    )
    const exposes = evidence.some(({ flag }) => flag === 'personal_data' || flag === 'secret')
    return exposes ? 1 : EXIT_CODES[report.verdict]
  },
}

/** What a contributor says of the files that decides a report. */
type Declared = Pick<Manifest, 'language' | 'domain' | 'synthetic' | 'columns' | 'textUnit'>

interface Scratch extends AsyncDisposable {
  dir: string
  blocks: Blocks
}

/** Blocks on disk until the end of the check: memory does not grow with the files. */
async function openScratch(): Promise<Scratch> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-check-'))
  const remove = () => rm(dir, { recursive: true, force: true })
  try {
    const blocks = await openBlocks({ dir: join(dir, 'blocks'), fsync: false })
    return {
      dir,
      blocks,
      async [Symbol.asyncDispose]() {
        await blocks[Symbol.asyncDispose]()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * Index and report as a node makes them under its default recipe, and with the human texts that ship. Throws what the readers say of files
 * that cannot be indexed.
 */
async function reportOn(
  files: readonly LocalFile[],
  declared: Declared,
  { context, disk, withModel }: { context: ToolContext; disk: Scratch; withModel: boolean },
): Promise<{ index: SampleIndex; report: Report }> {
  const { settings, signal } = context
  const onProgress = progressNotes(context)
  const embedder = withModel && settings.model !== null ? asStored(await embedderOf(settings.model, settings)) : undefined
  const imageEmbedder = withModel && settings.model !== null ? await imageEmbedderOf('default', settings) : undefined
  const options = { blocks: disk.blocks, scratchDir: disk.dir, signal, onProgress }
  const references = await shippedReferences(declared, options)
  const recipe = buildRecipe(
    [embedder, imageEmbedder].flatMap((one) => (one === undefined ? [] : [one.reference])),
    undefined,
    disk.blocks.hash,
    references,
  )
  const { manifest, index } = await indexLocally(files, { name: 'local/check', license: 'NONE', sources: [], ...declared }, options)
  const report = await buildReport({
    blocks: disk.blocks,
    index,
    manifest: manifest.document,
    recipe,
    embedder,
    imageEmbedder,
    signal,
    onProgress,
  })
  return { index: index.document, report }
}

function sampleRange({ firstSample, sampleCount }: SampleIndex['files'][number]): string {
  return sampleCount === 1 ? String(firstSample) : `${firstSample} to ${firstSample + sampleCount - 1}`
}
