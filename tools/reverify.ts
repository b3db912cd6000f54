/**
 * `assay reverify REPORT [--rows N] [--beacon HEX]`: computes a signed report again from the samples of a registry, on this machine and
 * its device, and says row by row what does not agree. With `--rows` only the embeddings of so many rows, chosen by the beacon.
 */
import { hash, randomBytes } from 'node:crypto'
import { bytesToHex, hexToBytes } from '../core/bytes.ts'
import { parseCid } from '../core/cid.ts'
import type { Recipe } from '../core/documents/recipe.ts'
import { Problem } from '../core/problem.ts'
import { loadDocument } from '../store/documents.ts'
import type { Embedder } from '../verifier/embedding/embedder.ts'
import type { ImageEmbedder } from '../verifier/embedding/imageEmbedder.ts'
import type { Check } from '../verifier/reverify/agreement.ts'
import { auditEmbeddings, loadSubject, reverifyReport } from '../verifier/reverify/reverify.ts'
import { embedderOf, imageEmbedderOf } from './embedderOf.ts'
import { openGatewayBlocks } from './gatewayBlocks.ts'
import { parseWords, progressNotes, type Tool, type ToolContext } from './tool.ts'

const SAMPLES_SHOWN = 20

export const reverify: Tool = {
  name: 'reverify',
  async run(context, words) {
    const { settings, result, signal } = context
    const { values, positionals } = parseWords(words, {
      rows: { type: 'string' },
      beacon: { type: 'string' },
      gateway: { type: 'string' },
    })
    const gateway = values.gateway ?? settings.gateway
    if (positionals[0] === undefined || gateway === undefined)
      throw new Problem('invalid-request', 'reverify takes the CID of a report, and --gateway or ASSAY_GATEWAY')
    const rows = values.rows === undefined ? undefined : wholeNumber(values.rows)
    const beacon = values.beacon === undefined ? randomBytes(32) : parseBeacon(values.beacon)

    await using owner = new AsyncDisposableStack()
    const blocks = await openGatewayBlocks(gateway, owner)
    const report = await loadDocument(blocks, 'report', parseCid(positionals[0]))
    const subject = await loadSubject(blocks, report)
    const embedder = await openEmbedder(subject.recipe.document, context)
    const imageEmbedder = await openImageEmbedder(subject.recipe.document, context)
    const options = { blocks, embedder, imageEmbedder, signal, onProgress: progressNotes(context) }
    const { checks } =
      rows === undefined ? await reverifyReport(subject, options) : await auditEmbeddings(subject, { ...options, beacon, count: rows })
    const passed = checks.every((check) => check.passed)
    const chosen = rows === undefined ? {} : { beacon: bytesToHex(beacon) }
    result(
      { report: report.cid.toString(), device: settings.device, ...chosen, passed, checks },
      [
        ...(rows === undefined ? [] : [`beacon ${bytesToHex(beacon)}`]),
        ...checks.map(describeCheck),
        passed ? `the report holds on ${settings.device}` : 'THE REPORT DOES NOT HOLD',
      ].join('\n'),
    )
    return passed ? 0 : 1
  },
}

function describeCheck({ name, passed, detail, samples }: Check): string {
  const shown = samples.slice(0, SAMPLES_SHOWN).join(', ')
  const list = samples.length === 0 ? '' : `: samples ${shown}${samples.length > SAMPLES_SHOWN ? ' …' : ''}`
  return `${passed ? 'passed' : 'FAILED'}  ${name}  ${detail}${list}`
}

/** An embedder for the recipe's model on the device of this machine; none where the recipe names none. */
async function openEmbedder({ models }: Recipe, { settings }: ToolContext): Promise<Embedder | undefined> {
  const reference = models.find(({ role }) => role === 'text-embedding')
  return reference === undefined ? undefined : embedderOf(reference.model.toString(), settings, reference.mode)
}

/** The same for the recipe's model of images. */
async function openImageEmbedder({ models }: Recipe, { settings }: ToolContext): Promise<ImageEmbedder | undefined> {
  const reference = models.find(({ role }) => role === 'image-embedding')
  return reference === undefined ? undefined : imageEmbedderOf(reference.model.toString(), settings, reference.mode)
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Problem('invalid-request', `--rows takes a whole number above 0, not "${text}"`)
  return Number(text)
}

/** 32 bytes in hexadecimal as they are; any other text by its SHA-256. */
function parseBeacon(text: string): Uint8Array {
  return /^[0-9a-f]{64}$/i.test(text) ? hexToBytes(text) : new Uint8Array(hash('sha256', text, 'buffer'))
}
