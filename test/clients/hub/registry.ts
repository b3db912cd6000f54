/** A node with the data sets that the clients read, and what they must find there. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { bytesToHex } from '../../../core/bytes.ts'
import { CID, digestOf } from '../../../core/cid.ts'
import { parseDocument } from '../../../core/documents/document.ts'
import type { SampleIndex } from '../../../core/documents/sampleIndex.ts'
import { sampleDigest } from '../../../core/samples/encoding.ts'
import { rowFromJson } from '../../../core/samples/json.ts'
import { until } from '../../service/until.ts'
import { assay } from '../../support/node.ts'
import { TABLE_PATH, writeDataSet } from './dataSets.ts'

const Published = z.object({ number: z.number(), manifest: z.string(), index: z.string().nullable() })
const Page = z.object({ samples: z.array(z.object({ digest: z.string() })), next: z.string().nullable() })

export const NAMES = {
  messages: 'acme/messages',
  tables: 'acme/tables',
  unicode: 'Größe-9/Über.Straße_Ünï',
  capitals: 'ACME/MiXed.Case-1_b',
  unverified: 'acme/unverified',
  kinds: 'acme/kinds',
  'new tables': 'acme/new-tables',
} as const

/** A user of one registry. */
export function createPublisher(folder: string, server: string) {
  const line = async <T>(words: string[], schema: z.ZodType<T>): Promise<T> => {
    const { code, json, errors } = await assay(words, { home: join(folder, 'publisher'), server })
    if (code !== 0) throw new Error(`assay ${words.join(' ')}: ${errors}`)
    return schema.parse(json)
  }
  return {
    line,
    publish: async (set: Parameters<typeof writeDataSet>[1], name: string, { wait }: { wait: boolean }) => {
      const path = await writeDataSet(folder, set)
      const words = ['publish', path, name, '--license', 'CC0-1.0', '--language', 'en']
      return line([...words, ...(wait ? ['--wait'] : [])], Published)
    },
  }
}

export function factsOf(manifest: string): { manifest: string; commit: string } {
  return { manifest, commit: bytesToHex(digestOf(CID.parse(manifest)).subarray(0, 20)) }
}

/** SHA-256 of every file of a data set, by path. */
export async function digestsOf(folder: string, paths: string[]): Promise<Record<string, string>> {
  const entries = paths.map(
    async (path) =>
      [
        path,
        createHash('sha256')
          .update(await readFile(join(folder, path)))
          .digest('hex'),
      ] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

export { TABLE_PATH }

/** Waits until a data set shows the rows that passed. */
export async function awaitExport(server: string, name: string): Promise<void> {
  const path = name.split('/').map(encodeURIComponent).join('/')
  const isThere = async () => {
    const response = await fetch(`${server}/api/datasets/${path}`)
    const { assay } = z.object({ assay: z.object({ report: z.string().nullable() }) }).parse(await response.json())
    return assay.report !== null && !/still being written/.test(response.headers.get('x-hf-warning') ?? '')
  }
  await until(`the export of ${name}`, isThere, { pollMs: 200 })
}

/**
 * Whether the rows of a file of JSON lines are, by digest and in order, the samples `of`: `name@number: split, split`, where a file belongs
 * to the split that its path names, and with `; verified` those of them that pass. Returns what is wrong, or null.
 */
export async function compareRows(server: string, path: string, of: string): Promise<string | null> {
  const [, ref, splits, onlyVerified] = /^(.*): (.*?)(; verified)?$/.exec(of) as unknown as [string, string, string, string | undefined]
  const [key, number] = ref.split('@') as [keyof typeof NAMES, string | undefined]
  const version = encodeURIComponent(`${NAMES[key]}${number === undefined ? '' : `@${number}`}`)
  const { index } = Published.parse(await json(`${server}/v1/versions/${version}`))
  const bytes = new Uint8Array(await (await fetch(`${server}/v1/documents/${index}`)).arrayBuffer())
  const { document } = parseDocument('index', bytes)
  const passes = onlyVerified === undefined ? () => true : await verifiedSamples(server, index!)
  const wanted: string[] = []
  for (const split of splits.split(', ')) wanted.push(...(await digestsOfSplit(server, version, document, { split, passes })))
  const lines = (await readFile(path, 'utf8')).split('\n').filter((text) => text !== '')
  if (lines.length !== wanted.length) return `${lines.length} rows instead of ${wanted.length}`
  const wrong = lines.findIndex((text, i) => bytesToHex(sampleDigest(rowFromJson(document.schema, text))) !== wanted[i])
  return wrong === -1 ? null : `row ${wrong} is another than the index has: ${lines[wrong]!.slice(0, 200)}`
}

async function verifiedSamples(server: string, index: string): Promise<(number: number) => boolean> {
  const body = JSON.stringify({ index, policy: 'verified' })
  const response = await fetch(`${server}/v1/selections`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { selection } = z.object({ selection: z.string() }).parse(await response.json())
  const bitmap = new Uint8Array(await (await fetch(`${server}/v1/selections/${selection}/bitmap`)).arrayBuffer())
  return (number) => (bitmap[number >> 3]! & (1 << (number & 7))) !== 0
}

async function digestsOfSplit(
  server: string,
  version: string,
  index: SampleIndex,
  { split, passes }: { split: string; passes: (number: number) => boolean },
): Promise<string[]> {
  const digests: string[] = []
  const named = index.files.filter((file) => file.path.includes(split))
  for (const { firstSample, sampleCount } of named.length === 0 ? index.files : named)
    for (let at = 0; at < sampleCount;) {
      const limit = Math.min(1000, sampleCount - at)
      const { samples } = Page.parse(await json(`${server}/v1/versions/${version}/samples?offset=${firstSample + at}&limit=${limit}`))
      digests.push(...samples.filter((_, i) => passes(firstSample + at + i)).map(({ digest }) => digest))
      at += samples.length
    }
  return digests
}

async function json(url: string): Promise<unknown> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response.json()
}
