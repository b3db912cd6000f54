import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { encodeModel, type TextModel } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache, ensureModel, type LocalModel } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { DEVICES, parseDevice } from '../../verifier/embedding/onnxRuntime.ts'
import { createTurns, type EmbedOptions, embedTexts } from '../../verifier/embedding/pipeline.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../../verifier/knn/search.ts'
import { type EmbeddingRuntime, openRuntime } from '../../verifier/embedding/runtime.ts'
import { type Tokenizer, openTokenizer } from '../../verifier/embedding/tokenizer.ts'

const { dimensions, maxTokens } = DEFAULT_MODEL.model
const SENTENCES = ['The weather is lovely today.', "It's so sunny outside!", 'He drove to the stadium.']

let model: LocalModel<TextModel>
let runtime: EmbeddingRuntime
let tokenizer: Tokenizer

before(async () => {
  model = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() })
  tokenizer = await openTokenizer(model)
  runtime = await openRuntime(model, { device: 'cpu', threads: 2, layers: true })
})

after(() => runtime[Symbol.asyncDispose]())

async function embed(texts: (string | null)[], options: Partial<EmbedOptions> = {}): Promise<{ vectors: Float32Array[]; valid: number[] }> {
  const vectors: Float32Array[] = []
  const valid: number[] = []
  for await (const block of embedTexts({ runtime, tokenizer, texts: [texts], ...options })) {
    for (let i = 0; i < block.valid.length; i++) vectors.push(block.vectors.slice(i * dimensions, (i + 1) * dimensions))
    valid.push(...block.valid)
  }
  return { vectors, valid }
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

/** One text in 64, so that windows of texts cost little. */
const mostlyMissing = (count: number) => Array.from({ length: count }, (_, i) => (i % 64 === 0 ? SENTENCES[1]! : null))

const words = (count: number) => Array.from({ length: count }, (_, i) => ['the', 'report', 'was', 'read', 'by', 'nobody'][i % 6]).join(' ')

test('the default model gives the similarities that Sentence Transformers documents for it', async () => {
  const { vectors } = await embed(SENTENCES)
  const [a, b, c] = vectors as [Float32Array, Float32Array, Float32Array]
  assert.equal(cosine(a, b).toFixed(4), '0.6660')
  assert.equal(cosine(a, c).toFixed(4), '0.1046')
  assert.equal(cosine(b, c).toFixed(4), '0.1411')
  for (const vector of vectors) assert.ok(Math.abs(cosine(vector, vector) - 1) < 1e-6)
})

test('a text has the same embedding, to the bit, alone and among others of any length, with one thread and with two', async () => {
  const texts = [...SENTENCES, words(9), words(40), words(300), 'x', '']
  const { vectors: together } = await embed(texts)
  await using single = await openRuntime(model, { device: 'cpu', threads: 1 })
  for (const [i, text] of texts.entries()) {
    assert.deepEqual((await embed([text])).vectors[0], together[i])
    assert.deepEqual((await embed([text], { runtime: single })).vectors[0], together[i])
  }
  const oneBatch: EmbeddingRuntime = { ...runtime, tokenBudget: 100_000 }
  assert.deepEqual((await embed(texts, { runtime: oneBatch })).vectors, together)
})

test('padding changes no bit, of embeddings or of inner layers, whatever the length of the text', async () => {
  const ids = tokenizer.encode(words(100))
  const embedPadded = (length: number, tokens: number) => {
    const inputIds = BigInt64Array.from({ length: tokens }, (_, i) => BigInt(i < length ? ids[i]! : 0))
    const attentionMask = BigInt64Array.from({ length: tokens }, (_, i) => (i < length ? 1n : 0n))
    return runtime.embed({ rows: 1, tokens, inputIds, attentionMask })
  }
  for (let length = 3; length <= 20; length++) {
    const bare = await embedPadded(length, length)
    for (const tokens of [length + 1, length + 2, length + 3, 33]) assert.deepEqual(await embedPadded(length, tokens), bare)
  }
})

test('ids are those of the model, with its special tokens around them', () => {
  assert.deepEqual(tokenizer.encode('Hello, World!'), [101, 7592, 1010, 2088, 999, 102])
  assert.deepEqual(tokenizer.encode(''), [101, 102])
})

test('a text is cut at the greatest number of tokens, with the closing one kept', async () => {
  const long = tokenizer.encode(words(400))
  assert.equal(long.length, maxTokens)
  assert.deepEqual(long.slice(0, -1), tokenizer.encode(words(maxTokens)).slice(0, -1))
  assert.equal(long.at(-1), 102)
  const { vectors } = await embed([words(400), words(maxTokens - 2), words(maxTokens - 3)])
  assert.deepEqual(vectors[0], vectors[1])
  assert.notDeepEqual(vectors[0], vectors[2])
})

test('a text gives the tokens that the tokenizer gives when it reads the whole of it', async () => {
  const [vocabulary, configuration] = await Promise.all(
    Object.values(model.model.tokenizer).map(async (path): Promise<object> => JSON.parse(await readFile(model.pathOf(path), 'utf8'))),
  )
  const whole: { encode(text: string): { ids: number[] } } = new HuggingFaceTokenizer(vocabulary!, configuration!)
  const texts = {
    short: SENTENCES.join(' '),
    'long words': Array.from({ length: 200 }, (_, i) => `pneumono${i}ultramicroscopic`).join(' '),
    'much space': `one${' '.repeat(5000)}two three${'\n\n\t'.repeat(3000)}four`,
    'no space': 'a,b;'.repeat(2000),
    Chinese: '天地玄黃宇宙洪荒'.repeat(500),
    'a word of 3,000 letters': `first ${'z'.repeat(3000)} last`,
    'accents apart from their letters': 'e\u0301 a\u0308 '.repeat(500),
  }
  for (const [name, text] of Object.entries(texts)) {
    const ids = whole.encode(text).ids
    const expected = ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), 102]
    assert.deepEqual(tokenizer.encode(text), expected, name)
  }
})

test('an empty text has an embedding; a missing one has none', async () => {
  const { vectors, valid } = await embed(['', null, 'x', null])
  assert.deepEqual(valid, [1, 0, 1, 0])
  assert.ok(Math.abs(cosine(vectors[0]!, vectors[0]!) - 1) < 1e-6)
  assert.deepEqual(vectors[1], new Float32Array(dimensions))
  assert.deepEqual((await embed([])).vectors, [])
})

test('inner layers come along when they are asked for, and change no bit of the embeddings', async () => {
  const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 1 })
  const { signal } = new AbortController()
  const texts = { count: 3, text: (sample: number) => [SENTENCES[0]!, null, SENTENCES[1]!][sample] ?? null }
  const bare = await embedder.embed(texts, { signal })
  const full = await embedder.embed(texts, { signal, layers: true })
  assert.deepEqual(bare.layers, [])
  assert.deepEqual(await full.vectors.read(0, texts.count), await bare.vectors.read(0, texts.count))
  assert.deepEqual(
    full.layers?.map(({ name, dimensions, count }) => [name, dimensions, count]),
    [
      ['block-2', 768, 3],
      ['block-3', 768, 3],
      ['block-4', 768, 3],
    ],
  )
  for (const layer of full.layers!) {
    const values = await layer.read(0, layer.count)
    assert.ok(values.subarray(768, 2 * 768).every((value) => value === 0))
    assert.ok(values.subarray(384, 768).every((deviation) => deviation > 0))
  }
})

test('the recipe names the model, its mode and the graph that is run by their digests', () => {
  const { reference } = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: 'nowhere', device: 'cpu' })
  assert.ok(reference.model.equals(encodeModel(DEFAULT_MODEL.model).cid))
  assert.equal(reference.mode, 'fp32')
  assert.equal(reference.graphSha256, DEFAULT_MODEL.model.derived[0]!.sha256)
  const half = createEmbedder({ manifest: DEFAULT_MODEL, mode: 'fp16', cacheDir: 'nowhere', device: 'cpu' }).reference
  assert.deepEqual([half.mode, half.graphSha256], ['fp16', DEFAULT_MODEL.model.derived[1]!.sha256])
  assert.throws(
    () => createEmbedder({ manifest: DEFAULT_MODEL, mode: 'int8', cacheDir: 'nowhere', device: 'cpu' }),
    new Problem('unsupported-format', `the model ${DEFAULT_MODEL.model.name} has no mode int8; it has fp32, fp16`),
  )
})

test('at half precision embeddings point within a millionth of where they point at full', async () => {
  const half = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache(), mode: 'fp16' })
  await using halfRuntime = await openRuntime(half, { device: 'cpu', threads: 1 })
  const texts = [...SENTENCES, words(60)]
  const { vectors: full } = await embed(texts)
  const { vectors } = await embed(texts, { runtime: halfRuntime })
  for (const [i, vector] of vectors.entries()) {
    assert.ok(1 - cosine(vector, full[i]!) < 1e-6)
    assert.notDeepEqual(vector, full[i])
  }
})

test('an embedder passes over blank texts and gives neighbours', async () => {
  const texts = [SENTENCES[0]!, ' \n\t ', null, SENTENCES[1]!, SENTENCES[2]!]
  const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 1 })
  const shares: number[] = []
  const embeddings = await embedder.embed(
    { count: texts.length, text: (sample) => texts[sample] ?? null },
    { signal: new AbortController().signal, onProgress: (share) => shares.push(share) },
  )
  assert.deepEqual([...embeddings.valid], [1, 0, 0, 1, 1])
  const neighbours = await embeddings.neighbours({ ...neighbourSearch(NEIGHBOUR_PARAMETERS), k: 1 })
  assert.deepEqual(
    (await Array.fromAsync(neighbours.blocks())).flatMap(({ samples }) => [...samples]),
    [3, -1, -1, 0, 3],
  )
  assert.equal(shares.at(-1), 1)
})

test('a text of a megabyte costs no more than its beginning', async () => {
  const megabyte = words(250_000)
  assert.ok(megabyte.length > 1_000_000)
  const solid = '\u00e9'.repeat(1_000_000)
  const { vectors } = await embed([megabyte, words(maxTokens), solid, solid.slice(0, 20_000)])
  assert.deepEqual(vectors[0], vectors[1])
  assert.deepEqual(vectors[2], vectors[3])
})

test('half of a surrogate pair and control characters are only odd text', async () => {
  const { vectors } = await embed(['\ud800', 'a\u0000b', `${'\u{1f600}'.repeat(9000)}`])
  for (const vector of vectors) assert.ok(Math.abs(cosine(vector, vector) - 1) < 1e-6)
})

test('texts are read as they are needed: at most two windows ahead of what has come out', async () => {
  let read = 0
  function* source() {
    for (; read < 5 * 1024; read += 256) yield mostlyMissing(256)
  }
  let out = 0
  for await (const block of embedTexts({ runtime, tokenizer, texts: source() })) {
    out += block.valid.length
    assert.ok(read - out <= 2 * 1024, `${read} read, ${out} out`)
  }
  assert.equal(out, 5 * 1024)
})

test('an abort ends with its reason, closes the source, and leaves the runtime usable', async () => {
  const abort = new AbortController()
  const stop = new Error('stop')
  let closed = false
  async function* source() {
    try {
      for (;;) yield mostlyMissing(512)
    } finally {
      closed = true
    }
  }
  const run = embed([], { texts: source(), signal: abort.signal, onProgress: () => abort.abort(stop) })
  await assert.rejects(run, stop)
  assert.ok(closed)
  assert.equal((await embed(['x'])).valid.length, 1)
})

test('those who embed at the same time go one after the other, and one that is aborted lets the next go on', async () => {
  const turns = createTurns()
  const tokensOf: number[] = []
  const watched: EmbeddingRuntime = {
    ...runtime,
    embed(batch) {
      tokensOf.push(batch.tokens)
      return runtime.embed(batch)
    },
  }
  const many = (length: number) => Array.from({ length: 60 }, () => words(length))
  const common = { runtime: watched, turns }
  const [long, short] = await Promise.all([embed(many(90), common), embed(many(5), common)])
  assert.deepEqual([long.vectors.length, short.vectors.length], [60, 60])
  assert.ok(tokensOf.filter((tokens) => tokens > 50).length > 2 * runtime.concurrency)
  assert.deepEqual(
    tokensOf,
    tokensOf.toSorted((a, b) => b - a),
  )

  const abort = new AbortController()
  const stop = new Error('stop')
  const stopping: EmbeddingRuntime = {
    ...runtime,
    embed(batch) {
      abort.abort(stop)
      return runtime.embed(batch)
    },
  }
  const first = embed(many(90), { runtime: stopping, turns, signal: abort.signal })
  const second = embed(many(5), common)
  await assert.rejects(first, stop)
  assert.equal((await second).vectors.length, 60)
})

test('a source that fails ends the stream with its error', async () => {
  const broken = new Error('broken')
  async function* source() {
    yield ['a', 'b']
    throw broken
  }
  await assert.rejects(embed([], { texts: source() }), broken)
})

test('a batch that the model cannot take rejects, and the next one is computed', async () => {
  const impossible = { rows: 1, tokens: 1, inputIds: BigInt64Array.of(10_000_000n), attentionMask: BigInt64Array.of(1n) }
  await assert.rejects(runtime.embed(impossible))
  assert.deepEqual((await embed(['x'])).valid, [1])
})

test('a device computes or is refused with a problem that says what to do', async () => {
  assert.throws(() => parseDevice('tpu'), new Problem('invalid-request', `there is no device "tpu"; use one of ${DEVICES.join(', ')}`))
  try {
    await using cuda = await openRuntime(model, { device: parseDevice('cuda') })
    assert.equal((await embed(['x'], { runtime: cuda })).valid.length, 1)
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === 'unavailable' && error.detail.endsWith('use "cpu"'), String(error))
  }
})
