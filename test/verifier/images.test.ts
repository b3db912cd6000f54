import assert from 'node:assert/strict'
import { crc32, deflateSync } from 'node:zlib'
import { test } from 'node:test'
import fc from 'fast-check'
import sharp from 'sharp'
import type { ImageModel } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { decodeImage, MAX_PIXELS, type Pixels, preprocess } from '../../verifier/embedding/images.ts'

type Preprocessing = ImageModel['image']

const PLAIN: Preprocessing = {
  width: 2,
  height: 2,
  fit: 'stretch',
  resample: 'bilinear',
  layout: 'nhwc',
  meanMillionths: [0, 0, 0],
  deviationMillionths: [1_000_000, 1_000_000, 1_000_000],
}

/** Pixels of a function of place and channel. */
function pixelsOf(width: number, height: number, value: (x: number, y: number, channel: number) => number): Pixels {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => value(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3))
  return { width, height, data }
}

const encoded = ({ width, height, data }: Pixels) => sharp(data, { raw: { width, height, channels: 3 } })

function assertProblem(code: Problem['code'], pattern: RegExp) {
  return (error: unknown) => error instanceof Problem && error.code === code && pattern.test(error.detail)
}

/** A PNG of one bit a pixel, all black: as small as an honest file of that size can be. */
function blackPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 1
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const frame = Buffer.alloc(4)
    frame.writeUInt32BE(data.length)
    const check = Buffer.alloc(4)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([frame, body, check])
  }
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))))
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

test('a PNG gives back its pixels, and the lossy formats nearly so', async () => {
  const pixels = pixelsOf(40, 30, (x, y, channel) => [x * 6, y * 8, 128][channel]!)
  const png = await decodeImage(await encoded(pixels).png().toBuffer())
  assert.deepEqual([png.width, png.height, Buffer.compare(png.data, pixels.data)], [40, 30, 0])
  for (const bytes of [await encoded(pixels).jpeg({ quality: 95 }).toBuffer(), await encoded(pixels).webp({ quality: 95 }).toBuffer()]) {
    const { width, height, data } = await decodeImage(bytes)
    assert.deepEqual([width, height, data.length], [40, 30, pixels.data.length])
    const mean = data.reduce((sum, value, i) => sum + Math.abs(value - pixels.data[i]!), 0) / data.length
    assert.ok(mean < 8, `${mean}`)
  }
})

test('grey, transparent and turned images come as upright red, green and blue', async () => {
  const grey = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#808080' } })
    .greyscale()
    .png()
    .toBuffer()
  assert.deepEqual([...(await decodeImage(grey)).data], Array(18).fill(128))
  const clear = await sharp({ create: { width: 1, height: 1, channels: 4, background: { r: 255, g: 255, b: 255, alpha: 0 } } })
    .png()
    .toBuffer()
  assert.deepEqual([...(await decodeImage(clear)).data], [0, 0, 0])
  const turned = await encoded(pixelsOf(20, 10, (x) => x * 10))
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  const { width, height } = await decodeImage(turned)
  assert.deepEqual([width, height], [10, 20])
})

test('an image of 20,000 × 20,000 pixels is refused before a pixel is decoded', async () => {
  const bomb = blackPng(20_000, 20_000)
  assert.ok(bomb.length < 100_000)
  const before = process.memoryUsage().rss
  await assert.rejects(decodeImage(bomb), assertProblem('too-large', /20000 × 20000 pixels; at most 64,000,000/))
  assert.ok(process.memoryUsage().rss - before < 200e6)
  assert.ok(20_000 * 20_000 > MAX_PIXELS)
})

test('a file that is cut off is no image', async () => {
  const pixels = pixelsOf(64, 64, (x, y, channel) => (x * y * (channel + 1)) % 256)
  for (const bytes of [
    await encoded(pixels).png().toBuffer(),
    await encoded(pixels).jpeg().toBuffer(),
    await encoded(pixels).webp().toBuffer(),
  ])
    await assert.rejects(decodeImage(bytes.subarray(0, Math.floor(bytes.length / 2))), assertProblem('invalid-file', /not a whole/))
})

test('formats that can name other files, or that nobody asked for, are not opened', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>')
  const tiff = await encoded(pixelsOf(4, 4, () => 1))
    .tiff()
    .toBuffer()
  for (const bytes of [svg, tiff, Buffer.from('%PDF-1.7'), Buffer.alloc(0)])
    await assert.rejects(decodeImage(bytes), assertProblem('invalid-file', /not a whole/))
})

test('law: changed bytes give an image or a problem, and nothing else', async () => {
  const png = await encoded(pixelsOf(16, 16, (x, y) => x * y))
    .png()
    .toBuffer()
  const jpeg = await encoded(pixelsOf(16, 16, (x, y) => x * y))
    .jpeg()
    .toBuffer()
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(png, jpeg), fc.nat(), fc.nat(255), async (original, at, byte) => {
      const bytes = Buffer.from(original)
      bytes[at % bytes.length] = byte
      await decodeImage(bytes).catch((error: unknown) => assert.ok(error instanceof Problem, String(error)))
    }),
    { numRuns: 200 },
  )
})

test('an image of the model’s own size is taken as it is, in the layout that the model wants', () => {
  const pixels = pixelsOf(2, 2, (x, y, channel) => channel * 100 + y * 10 + x)
  const flat = preprocess(pixels, PLAIN)
  assert.deepEqual(
    [...flat],
    [...pixels.data].map((value) => Math.fround(value / 255)),
  )
  const planes = preprocess(pixels, { ...PLAIN, layout: 'nchw' })
  assert.deepEqual(
    [...planes].map((value) => Math.round(value * 255)),
    [0, 1, 10, 11, 100, 101, 110, 111, 200, 201, 210, 211],
  )
})

test('mean and deviation are taken off and divided by', () => {
  const how = { ...PLAIN, meanMillionths: [500_000, 0, 0], deviationMillionths: [500_000, 1_000_000, 250_000] } satisfies Preprocessing
  const [red, green, blue] = preprocess(
    pixelsOf(2, 2, () => 255),
    how,
  )
  assert.deepEqual([red, green, blue], [1, 1, 4])
})

test('law: an image of one colour keeps it, whatever the sizes, the fit and the kernel', () => {
  fc.assert(
    fc.property(
      fc.record({ w: fc.integer({ min: 1, max: 40 }), h: fc.integer({ min: 1, max: 40 }), value: fc.nat(255) }),
      fc.record({
        width: fc.integer({ min: 1, max: 12 }),
        height: fc.integer({ min: 1, max: 12 }),
        fit: fc.constantFrom('stretch' as const, 'crop' as const),
        resample: fc.constantFrom('bilinear' as const, 'bicubic' as const),
      }),
      ({ w, h, value }, how) => {
        const tensor = preprocess(
          pixelsOf(w, h, () => value),
          { ...PLAIN, ...how },
        )
        assert.equal(tensor.length, how.width * how.height * 3)
        for (const one of tensor) assert.ok(Math.abs(one - value / 255) < 1e-6)
      },
    ),
    { numRuns: 100 },
  )
})

test('halving an image takes every pixel into account, mirrored alike', () => {
  const pixels = pixelsOf(4, 4, (x) => (x < 2 ? 0 : 200))
  const [left, , , right] = preprocess(pixels, PLAIN)
  assert.ok(left! > 0 && right! < 200 / 255 && Math.abs(left! + right! - 200 / 255) < 1e-6)
})

test('cropping sees the middle of the larger side alone', () => {
  const pixels = pixelsOf(12, 4, (x) => (x >= 4 && x < 8 ? 255 : 0))
  const middle = preprocess(pixels, { ...PLAIN, fit: 'crop', width: 4, height: 4 })
  assert.ok(middle.every((value) => value === 1))
})
