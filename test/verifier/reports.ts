/** From rows to a report, by way of a real index in real blocks. */
import { utf8ToBytes } from '../../core/bytes.ts'
import { encodeDocument, type Encoded, parseDagJson } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import type { Recipe } from '../../core/documents/recipe.ts'
import type { Property, PropertyResult, Report } from '../../core/documents/report.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { Evidence, type Finding, flagNames } from '../../core/findings.ts'
import { decodeFindings, type FindingsTable } from '../../core/findingsTable.ts'
import { buildIndex } from '../../indexer/buildIndex.ts'
import type { Blocks } from '../../store/blocks.ts'
import { buildReport } from '../../verifier/buildReport.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { testManifest, testSigner } from '../support/documents.ts'

export interface BuiltReport {
  report: Report
  index: Encoded<SampleIndex>
  encoded: Encoded<Report>
  table: FindingsTable
  evidence: Finding[]
  property: (name: Property) => PropertyResult
  /** Names of a sample's flags. */
  flagsOf: (sample: number) => string[]
}

export async function manifestOf(blocks: Blocks, content: string, fields: Partial<Manifest> = {}): Promise<Encoded<Manifest>> {
  const path = 'rows.jsonl'
  const { cid, sizeBytes, sha256 } = await blocks.importBytes(utf8ToBytes(content))
  const root = await blocks.importDirectory([{ path, cid, sizeBytes }])
  return testManifest({
    name: 'ns/rows',
    author: testSigner(1).did,
    files: [{ path, cid, sizeBytes, sha256 }],
    root,
    sizeBytes,
    ...fields,
  })
}

export async function indexOf(blocks: Blocks, manifest: Encoded<Manifest>): Promise<Encoded<SampleIndex>> {
  const signal = new AbortController().signal
  return encodeDocument('index', await buildIndex({ blocks, hash: blocks.hash, manifest, signal }))
}

/** The report on JSON rows under a recipe, by default that of all detectors without a model. */
export async function reportOn(
  blocks: Blocks,
  rows: readonly object[],
  { fields, recipe = buildRecipe([]) }: { fields?: Partial<Manifest>; recipe?: Encoded<Recipe> } = {},
): Promise<BuiltReport> {
  const manifest = await manifestOf(blocks, rows.map((row) => JSON.stringify(row) + '\n').join(''), fields)
  const index = await indexOf(blocks, manifest)
  const report = await buildReport({
    blocks,
    index,
    manifest: manifest.document,
    recipe,
    signal: new AbortController().signal,
    onProgress: () => {},
  })
  const table = decodeFindings(await blocks.readAll(report.findings, 1 << 30), rows.length)
  return {
    report,
    index,
    encoded: encodeDocument('report', report),
    table,
    evidence: Evidence.parse(parseDagJson(await blocks.readAll(report.evidence, 1 << 30))),
    property: (name) => report.properties.find(({ property }) => property === name)!,
    flagsOf: (sample) => flagNames(table.flags[sample]!),
  }
}
