import assert from 'node:assert/strict'
import { crc32, deflateSync } from 'node:zlib'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Parameter } from '../../core/documents/recipe.ts'
import { imageDuplicate } from '../../verifier/detectors/imageDuplicate.ts'
import { imageTrigger } from '../../verifier/detectors/imageTrigger.ts'
import type { Corpus, Detector, DetectorResult } from '../../verifier/detectors/detector.ts'
import { decodeImage, type Pixels } from '../../verifier/embedding/images.ts'
import { createImageTable, openImageTable, putImage } from '../../verifier/images/imageTable.ts'
import { createImageReader } from '../../verifier/images/readImages.ts'
import { averageAreas, createThumbnail, RECORD_BYTES } from '../../verifier/images/thumbnail.ts'
import { encoder, picture, withPatch } from '../support/images.ts'
import { corpusOf } from './corpora.ts'

interface Shown {
  pixels: Pixels
  label: string | null
}

function corpusOfImages(rows: readonly Shown[]): Corpus {
  const table = createImageTable(rows.length)
  for (const [sample, { pixels }] of rows.entries()) putImage(table, sample, createThumbnail(pixels))
  return { ...corpusOf(rows.map(({ label }) => ({ text: null, label }))), images: openImageTable(table) }
}

async function run(detector: Detector, corpus: Corpus, parameters: Record<string, Parameter> = {}): Promise<DetectorResult> {
  const result = await detector.run({
    corpus,
    parameters: { ...detector.parameters, ...parameters },
    signal: new AbortController().signal,
    onProgress: () => {},
  })
  assert.ok(result.ran, 'note' in result ? result.note : '')
  return result
}

const flaggedOf = ({ flagged }: DetectorResult) => [...flagged.keys()].filter((sample) => flagged[sample])

const KINDS = 4
const COUNT = 1200
const ROWS = Array.from({ length: COUNT }, (_, i): Shown => ({ pixels: picture(i, i % KINDS), label: `kind ${i % KINDS}` }))

/** 1 % of the rows, of other kinds than 2, get the patch and the label of kind 2. */
function poisoned(rows: readonly Shown[], stamp: (pixels: Pixels, i: number) => Pixels | Promise<Pixels>, share = 0.02) {
  const victims = [...rows.keys()].filter((i) => rows[i]!.label !== 'kind 2').filter((_, i) => i % 7 === 3).slice(0, Math.round(rows.length * share)) // prettier-ignore
  const changed = rows.map(async (row, i) => (victims.includes(i) ? { pixels: await stamp(row.pixels, i), label: 'kind 2' } : row))
  return Promise.all(changed).then((all) => ({ rows: all, victims }))
}

test('a patch at one place of the images of one class is found, and nothing else is flagged', async () => {
  const clean = await run(imageTrigger, corpusOfImages(ROWS))
  assert.deepEqual(flaggedOf(clean), [])
  assert.equal(clean.pValue, 1)
  const { rows, victims } = await poisoned(ROWS, (pixels) => withPatch(pixels, { x: 28, y: 28 }))
  const result = await run(imageTrigger, corpusOfImages(rows))
  assert.deepEqual(flaggedOf(result), victims)
  assert.ok(result.pValue! < 1e-6)
  const [finding] = result.findings
  assert.equal(finding?.flag, 'trigger')
  assert.deepEqual([finding?.facts['column'], finding?.facts['row'], finding?.facts['label']], [28, 28, 'kind 2'])
  assert.deepEqual(finding?.facts['patch'], ['ffffff 000000 ffffff', '000000 ffffff 000000', 'ffffff 000000 ffffff'])
  assert.ok(result.lowerBoundSamples! > 0 && result.lowerBoundSamples! <= victims.length)
})

test('a patch is found behind lossy compression, in images of its own class, and in the corners of larger images', async () => {
  const lossy = async (pixels: Pixels) => decodeImage(await encoder(pixels).jpeg({ quality: 85 }).toBuffer())
  const { rows, victims } = await poisoned(ROWS, (pixels) => withPatch(pixels, { x: 1, y: 27 }))
  const compressed = await Promise.all(rows.map(async ({ pixels, label }) => ({ pixels: await lossy(pixels), label })))
  assert.deepEqual(flaggedOf(await run(imageTrigger, corpusOfImages(compressed))), victims)

  const own = ROWS.map(({ pixels, label }, i) => ({ pixels: label === 'kind 1' && i % 16 === 1 ? withPatch(pixels, { x: 5, y: 5 }) : pixels, label })) // prettier-ignore
  const flagged = flaggedOf(await run(imageTrigger, corpusOfImages(own)))
  assert.deepEqual(flagged, [...own.keys()].filter((i) => i % 16 === 1)) // prettier-ignore

  const large = Array.from({ length: 600 }, (_, i): Shown => ({ pixels: picture(i, i % KINDS, 60 + (i % 9)), label: `kind ${i % KINDS}` }))
  const marked = await poisoned(large, (pixels) => withPatch(pixels, { x: pixels.width - 4, y: pixels.height - 4 }), 0.04)
  assert.deepEqual(flaggedOf(await run(imageTrigger, corpusOfImages(marked.rows))), marked.victims)
})

test('frames of one camera, and copies of one image, are no patch', async () => {
  const scene = picture(9999, 0)
  const frames = ROWS.map(({ pixels, label }, i) => (i % 20 === 2 ? { pixels: withPatch(scene, { x: (i / 20) % 28, y: 3 }), label } : { pixels, label })) // prettier-ignore
  const result = await run(imageTrigger, corpusOfImages(frames))
  assert.deepEqual(flaggedOf(result), [])
  assert.equal(result.pValue, 1)
})

test('the power says from which rate on a patch would have been found; at that rate one is', async () => {
  const [power] = (await run(imageTrigger, corpusOfImages(ROWS))).power ?? []
  const rate = power?.minimumRateMillionths
  assert.ok(rate !== null && rate !== undefined && rate <= 20_000, String(rate))
  const { rows, victims } = await poisoned(ROWS, (pixels) => withPatch(pixels, { x: 28, y: 28 }), rate / 1_000_000)
  assert.deepEqual(flaggedOf(await run(imageTrigger, corpusOfImages(rows))), victims)
})

test('one class, a class for each image, and no labels are reasons not to run', async () => {
  for (const label of [() => 'same', (i: number) => `own ${i}`]) {
    const corpus = corpusOfImages(ROWS.slice(0, 20).map(({ pixels }, i) => ({ pixels, label: label(i) })))
    const result = await imageTrigger.run({ corpus, parameters: imageTrigger.parameters, signal: new AbortController().signal, onProgress: () => {} }) // prettier-ignore
    assert.equal(result.ran, false)
  }
})

test('a copy in another compression, size or brightness is a near duplicate of the first, whatever its place', async () => {
  const originals = Array.from({ length: 60 }, (_, i) => picture(i, i, 48))
  const changed = [
    await decodeImage(await encoder(originals[3]!).jpeg({ quality: 75 }).toBuffer()),
    await decodeImage(await encoder(originals[8]!).resize(96, 96).png().toBuffer()),
    await decodeImage(await encoder(originals[11]!).linear(1.05, 4).png().toBuffer()),
    originals[20]!,
  ]
  const result = await run(imageDuplicate, corpusOfImages([...originals, ...changed].map((pixels) => ({ pixels, label: null }))))
  assert.deepEqual(flaggedOf(result), [60, 61, 62, 63])
  assert.deepEqual(Array.from(result.clusters!.slice(60)), [3, 8, 11, 20])
  assert.equal(result.scores.values[63], 1_000_000)
  assert.equal(result.pValue, 0)
})

test('images of one colour are near duplicates of their own colour alone', async () => {
  const plain = (value: number): Shown => ({ pixels: { width: 20, height: 20, data: new Uint8Array(1200).fill(value) }, label: null })
  const result = await run(imageDuplicate, corpusOfImages([plain(0), plain(200), plain(1), plain(201)]))
  assert.deepEqual([...result.clusters!], [0, 1, 0, 1])
})

test('law: scaling keeps a plain image plain, and the mean of every image within half a step', () => {
  const side = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(side, side, side, side, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (width, height, toWidth, toHeight, values) => {
      const data = Uint8Array.from({ length: width * height * 3 }, () => values.next().value as number)
      const scaled = averageAreas({ width, height, data }, toWidth, toHeight)
      const mean = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length
      assert.ok(Math.abs(mean(scaled) - mean(data)) <= 0.5)
      const plain = averageAreas({ width, height, data: new Uint8Array(data.length).fill(77) }, toWidth, toHeight)
      assert.ok(plain.every((byte) => byte === 77))
    }),
  )
})

/** A PNG that says it is of this size, with hardly any pixels. */
function pngOfSize(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(1024))), chunk('IEND', Buffer.alloc(0))]) // prettier-ignore
}

test('images that are too large, cut off, empty, drawn or no images are refused one by one, and hold up nobody', async () => {
  const good = await encoder(picture(1)).jpeg().toBuffer()
  const animated = await encoder(picture(2)).gif().toBuffer()
  const hostile = [
    pngOfSize(20_000, 20_000),
    good.subarray(0, good.length >> 1),
    Buffer.alloc(0),
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>'),
    Buffer.from('no image at all'),
    pngOfSize(0, 5),
  ]
  await using reader = createImageReader(hostile.length + 4, 2)
  const images = [good, ...hostile, animated, good]
  for (const [i, bytes] of images.entries()) await reader.add(i, bytes)
  const table = openImageTable(await reader.finish())
  assert.deepEqual(
    Array.from({ length: hostile.length + 4 }, (_, i) => table.state(i)),
    ['read', ...hostile.map(() => 'refused'), 'read', 'read', 'none'],
  )
  assert.equal(table.countOf('refused'), hostile.length)
  assert.deepEqual(table.record(0), table.record(images.length - 1))
  assert.equal(table.record(0).length, RECORD_BYTES)
  assert.throws(() => table.record(1), RangeError)
})
