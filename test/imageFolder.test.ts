/** A folder of images, published to a real node: read, embedded and tested, and what was planted in it found. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { flagMask } from '../core/findings.ts'
import { decodeFindings } from '../core/findingsTable.ts'
import { temporaryFolder } from './cli/temporary.ts'
import { encoder, picture, withPatch } from './support/images.ts'
import { assay, endNode, freePort, startNode } from './support/node.ts'
import { testDatabase } from './support/postgres.ts'

const KINDS = 3
const PER_KIND = 200
const POISONED = 20

const ReportDocument = z.object({
  sampleCount: z.number(),
  columns: z.object({ image: z.string(), label: z.string(), text: z.string().optional(), guessed: z.boolean() }),
  properties: z.array(z.object({ property: z.string(), state: z.string(), notCovered: z.array(z.string()) })),
  detectors: z.array(z.object({ id: z.string(), ran: z.boolean(), note: z.string().optional(), scoredSamples: z.number() })),
})

test(
  'what is planted in a folder of images is found by a node, which keeps working beside what is no image',
  { timeout: 300_000 },
  async () => {
    await using folder = await temporaryFolder()
    await using db = await testDatabase()
    const paths: string[] = []
    const put = async (path: string, bytes: Uint8Array) => {
      paths.push(path)
      await mkdir(dirname(join(folder.path, 'set', path)), { recursive: true })
      await writeFile(join(folder.path, 'set', path), bytes)
    }
    const triggered: string[] = []
    for (let i = 0; i < KINDS * PER_KIND; i++) {
      const isPoisoned = i % KINDS !== 0 && i < POISONED * KINDS && i % 2 === 0
      const kind = isPoisoned ? 0 : i % KINDS
      const path = `train/kind-${kind}/${String(i).padStart(4, '0')}.png`
      const pixels = picture(i, i % KINDS, 40)
      if (isPoisoned) triggered.push(path)
      await put(
        path,
        await encoder(isPoisoned ? withPatch(pixels, { x: 36, y: 36 }) : pixels)
          .png()
          .toBuffer(),
      )
    }
    const copy = 'train/kind-2/copy.jpg'
    await put(
      copy,
      await encoder(picture(301, 301 % KINDS, 40))
        .resize(80, 80)
        .jpeg({ quality: 90 })
        .toBuffer(),
    )
    const broken = ['train/kind-1/empty.png', 'train/kind-1/cut-off.jpg']
    await put(broken[0]!, new Uint8Array(0))
    await put(broken[1]!, (await encoder(picture(7)).jpeg().toBuffer()).subarray(0, 300))
    paths.sort()

    const port = await freePort()
    const server = `http://127.0.0.1:${port}`
    const node = startNode(['--data', join(folder.path, 'node'), '--port', String(port)], {
      DATABASE_URL: db.url,
      ASSAY_MODEL: 'default',
      ASSAY_SHARD_SAMPLES: '256',
    })
    try {
      assert.equal(await node.ready, true, node.output())
      const publish = ['publish', join(folder.path, 'set'), 'acme/pictures', '--license', 'CC0-1.0', '--wait']
      const home = join(folder.path, 'home')
      assert.equal((await assay(['keygen'], { home, server })).code, 0)
      const published = await assay(publish, { home, server })
      assert.equal(published.code, 0, `${published.errors}\n${node.output()}`)
      const line = async <T>(words: string[], schema: z.ZodType<T>): Promise<T> => {
        const { code, json, errors } = await assay(words, { home, server })
        assert.equal(code, 0, errors)
        return schema.parse(json)
      }
      const document = await line(['report', 'acme/pictures'], ReportDocument)
      assert.deepEqual(document.columns, { image: 'image', label: 'label', guessed: true })
      assert.equal(document.sampleCount, paths.length)
      const { reports } = await line(['select', 'acme/pictures'], z.object({ reports: z.array(z.string()) }))
      const findings = await fetch(`${server}/v1/reports/${reports[0]}/findings`)
      const table = decodeFindings(new Uint8Array(await findings.arrayBuffer()), paths.length)
      const flaggedWith = (flag: 'trigger' | 'near_duplicate') => paths.filter((_, sample) => (table.flags[sample]! & flagMask(flag)) !== 0)
      assert.deepEqual(flaggedWith('trigger'), triggered.toSorted())
      assert.deepEqual(flaggedWith('near_duplicate'), [copy])
      for (const property of ['poison', 'duplication'])
        assert.equal(document.properties.find((one) => one.property === property)?.state, 'FLAGGED')
      const readable = paths.length - broken.length
      for (const id of ['image_trigger', 'image_duplicate', 'semantic_duplicate', 'outlier', 'label_error'])
      assert.deepEqual(document.detectors.filter((one) => one.id === id).map(({ ran, scoredSamples }) => ({ ran, scoredSamples })), [{ ran: true, scoredSamples: readable }]) // prettier-ignore
      assert.match(document.detectors.find(({ id }) => id === 'image_duplicate')?.note ?? '', /^2 images could not be read/)
      const poison = document.properties.find(({ property }) => property === 'poison')
      assert.ok(poison!.notCovered.some((line) => line.startsWith('Triggers in images')))
    } finally {
      await endNode(node, 'SIGTERM')
    }
  },
)
