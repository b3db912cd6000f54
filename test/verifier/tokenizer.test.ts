import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import type { TextModel } from '../../core/models.ts'
import { defaultModelCache, ensureModel, type LocalModel } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { openTokenizer, type Tokenizer } from '../../verifier/embedding/tokenizer.ts'
import { openTokenizerPool } from '../../verifier/embedding/tokenizerPool.ts'

const { maxTokens } = DEFAULT_MODEL.model
const { signal } = new AbortController()

let model: LocalModel<TextModel>
let tokenizer: Tokenizer
let reference: { encode(text: string): { ids: number[] } }

before(async () => {
  model = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() })
  tokenizer = await openTokenizer(model)
  const read = async (path: string): Promise<object> => JSON.parse(await readFile(model.pathOf(path), 'utf8'))
  reference = new HuggingFaceTokenizer(await read('tokenizer.json'), await read('tokenizer_config.json'))
})

/** As the library tokenises the whole of a text, cut where the model ends. */
function expected(text: string): number[] {
  const { ids } = reference.encode(text)
  return ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), ids.at(-1)!]
}

/** What tokenizers trip over, put together in every way. */
const PIECES = ['The', 'ΣΑΣ', 'Ünïcödé', 'e\u0301', '\u0301', '[SEP]', '[MASK]', '[CLS]x', '天地', "don't", '3,000.5', '\u200b', '\u0000', '\u000b', '\ufeff', '\u00a0', '\u3000', '\ud83d\ude00', '\ud83d', 'İ', 'ß', '##s', 'x'.repeat(120), '-', '~', '\u0085', '\u2028'] // prettier-ignore

test('law: word by word a text has the tokens that the library gives the whole of it', () => {
  const spaces = fc.constantFrom(' ', '  ', '\n', '\t ', '\r\n', '', '')
  const text = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'grapheme' })), spaces), { maxLength: 30 })
  fc.assert(
    fc.property(text, (parts) => {
      const whole = parts.flat().join('')
      assert.deepEqual(tokenizer.encode(whole), expected(whole))
    }),
    { numRuns: 2000 },
  )
})

test('threads give the ids that one thread gives, in the order of the texts', async () => {
  const texts = Array.from({ length: 300 }, (_, i) => `text ${i} ${PIECES[i % PIECES.length]} ${'and more '.repeat(i % 80)}`)
  await using pool = await openTokenizerPool(model, 2)
  const ids = await pool.encodeAll(texts, signal)
  assert.deepEqual(
    ids.map((one) => Array.from(one)),
    texts.map((text) => tokenizer.encode(text)),
  )
  assert.deepEqual(await pool.encodeAll([], signal), [])
})

test('the prefix that a model was trained with stands before every text', async () => {
  const instructed = await openTokenizer({ ...model, model: { ...model.model, prefix: 'query: ' } })
  assert.deepEqual(instructed.encode('what is a pin?'), tokenizer.encode('query: what is a pin?'))
  assert.equal(instructed.encode('word '.repeat(500)).length, maxTokens)
})

test('a tokenizer of another kind than BERT’s reads a text as a whole, with the tokens of the library', async () => {
  // The same vocabulary behind a normaliser that is not known to work word by word.
  const json = JSON.parse(await readFile(model.pathOf('tokenizer.json'), 'utf8')) as { normalizer: object }
  const changed = { ...json, normalizer: { type: 'Sequence', normalizers: [json.normalizer] } }
  const directory = await mkdtemp(join(tmpdir(), 'assay-tokenizer-'))
  try {
    const path = join(directory, 'tokenizer.json')
    await writeFile(path, JSON.stringify(changed))
    const whole = await openTokenizer({ ...model, pathOf: (file) => (file === 'tokenizer.json' ? path : model.pathOf(file)) })
    for (const text of ['Hello, World!', 'word '.repeat(400), PIECES.join(' '), 'a,b;'.repeat(2000)])
      assert.deepEqual(whole.encode(text), expected(text))
  } finally {
    await rm(directory, { recursive: true })
  }
})
