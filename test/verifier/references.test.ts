/** Human texts that data sets are compared with: which ones, what detectors get of them, and how an operator chooses them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CODEC_DAG_JSON, cidOf } from '../../core/cid.ts'
import { Problem } from '../../core/problem.ts'
import { putDocument } from '../../store/documents.ts'
import { chooseCompared, type DataSetReference, embedCompared, readCompared } from '../../verifier/compared.ts'
import { runDetector } from '../../verifier/detectorRun.ts'
import { createScores, type Detector, type Embeddings, type Needs, type Reference } from '../../verifier/detectors/detector.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { cellsOf, isCell, parseCell } from '../../verifier/references/cells.ts'
import { referenceSettings } from '../../verifier/references/settings.ts'
import { testBlocks } from '../support/blocks.ts'
import { corpusOf } from './corpora.ts'
import { indexOf, manifestOf } from './reports.ts'

const { signal } = new AbortController()
const cidNumbered = (number: number) => cidOf(CODEC_DAG_JSON, Uint8Array.of(number))
const named = (cell: string, number: number): DataSetReference => ({ cell, index: cidNumbered(number), sampleCount: 300 })

/** A detector of these needs that says how many references it was given. */
function counting(needs: Needs): Detector {
  return {
    id: 'counting',
    version: 1,
    tier: 'T1',
    property: 'synthetic_share',
    flag: 'synthetic',
    needs,
    parameters: {},
    run: async ({ corpus, references = [] }) => ({
      ran: true,
      note: references.map(({ cell, corpus: texts }) => `${cell}: ${texts.count}`).join(),
      scores: createScores(corpus.count, true),
      flagged: new Uint8Array(corpus.count),
      findings: [],
    }),
  }
}

describe('cells of reference texts', () => {
  test('are a language tag and a kind of text, as manifests declare them', () => {
    assert.equal(parseCell('en/news'), 'en/news')
    assert.equal(parseCell('pt-BR/e-mail'), 'pt-br/e-mail')
    for (const text of ['', 'en', 'en/', '/news', 'en/news/x', 'english/news', 'en/News paper', 'en /news', 'benchmark/gsm8k'])
      assert.throws(() => parseCell(text), { code: 'invalid-request' }, text)
  })

  test('are those of the own language tag, then of shorter ones', () => {
    assert.deepEqual(cellsOf({ language: 'zh-Hant-TW', domain: 'news' }), ['zh-hant-tw/news', 'zh-hant/news', 'zh/news'])
    assert.deepEqual(cellsOf({ language: 'en-x-old', domain: 'news' }), ['en-x-old/news', 'en/news'])
    assert.deepEqual(cellsOf({ language: 'en' }), [])
    assert.deepEqual(cellsOf({ language: null, domain: 'news' }), [])
  })

  test('law: what a manifest can declare has a cell', () => {
    const tag = fc.stringMatching(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/)
    const domain = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/)
    fc.assert(
      fc.property(tag, domain, (language, kind) => {
        const cells = cellsOf({ language, domain: kind })
        assert.ok(cells.length > 0 && cells.every(isCell))
        assert.equal(cells[0], parseCell(`${language}/${kind}`))
      }),
    )
  })
})

describe('what a data set is compared with', () => {
  const recipe = { references: [named('benchmark/exam', 1), named('en/news', 2), named('en-gb/news', 3), named('en/forum', 4)] }
  const both = [{ needs: { benchmarks: true } }, { needs: { references: true } }]
  const cells = (language: string, detectors: readonly { needs: Needs }[] = both, index = cidNumbered(9)) =>
    chooseCompared({ recipe, index, kind: { language, domain: 'news' }, detectors }).references.map(({ cell }) => cell)

  test('are the benchmark sets, and the human texts of the nearest cell', () => {
    assert.deepEqual(cells('en-GB'), ['benchmark/exam', 'en-gb/news'])
    assert.deepEqual(cells('en-US'), ['benchmark/exam', 'en/news'])
    assert.deepEqual(cells('fr'), ['benchmark/exam'])
  })

  test('is nothing that no detector asks for', () => {
    assert.deepEqual(cells('en', [{ needs: { references: true } }]), ['en/news'])
    assert.deepEqual(cells('en', [{ needs: { text: true } }]), [])
  })

  test('is never itself, and the report can say so', () => {
    const index = cidNumbered(2)
    assert.deepEqual(cells('en', both, index), ['benchmark/exam'])
    const { withoutReferences } = chooseCompared({ recipe, index, kind: { language: 'en', domain: 'news' }, detectors: both })
    assert.match(withoutReferences!, /themselves the human reference for en\/news/)
  })
})

describe('a detector that needs human texts', () => {
  const detector = counting({ references: true })
  const job = { detector, reference: { id: detector.id, version: 1, tier: detector.tier, parameters: {} } }
  const options = { signal, onProgress: () => {} }
  const references: Reference[] = [{ cell: 'en/news', corpus: corpusOf([{ text: 'a' }, { text: 'b' }]) }]

  test('does not run without them, and says what an operator can do', async () => {
    const news = { ...corpusOf([{ text: 'x' }]), language: 'en', domain: 'news' }
    const without = await runDetector(job, news, options)
    assert.ok(!without.ran)
    assert.match(without.note, /^The recipe names no human reference texts for en\/news; an operator adds them with assay reference add\.$/)
    const undeclared = await runDetector(job, corpusOf([{ text: 'x' }]), options)
    assert.match(undeclared.note!, /manifest does not declare both language and domain/)
    assert.equal((await runDetector(job, news, { ...options, withoutReferences: 'Itself.' })).note, 'Itself.')
  })

  test('gets them', async () => {
    assert.equal((await runDetector(job, corpusOf([{ text: 'x' }]), { ...options, references })).note, 'en/news: 2')
  })

  test('does not run on inner layers where there are none', async () => {
    const deep = counting({ embeddings: true, layers: true })
    const embeddings = { layers: [] } as unknown as Embeddings // it is not run
    const result = await runDetector({ ...job, detector: deep }, corpusOf([{ text: 'x' }]), { ...options, embeddings })
    assert.deepEqual([result.ran, result.note], [false, "The recipe's model gives no inner layers."])
  })
})

test('human texts are read from the registry by their index, and embedded with the inner layers of the model', async () => {
  await using blocks = await testBlocks()
  const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 2 })
  const rows = ['A ship came in.', 'The harbour was silent.', 'Nobody spoke of it again.'].map((text) => JSON.stringify({ text }) + '\n')
  const manifest = await manifestOf(blocks, rows.join(''))
  const index = await indexOf(blocks, manifest)
  for (const document of [manifest, index]) await putDocument(blocks, document)
  const reference = { cell: 'en/prose', index: index.cid, sampleCount: 3 }
  const set = await readCompared(blocks, reference, signal)
  await assert.rejects(readCompared(blocks, { ...reference, sampleCount: 4 }, signal), { code: 'invalid-document' })

  await using owner = new AsyncDisposableStack()
  const asked: string[] = []
  const sourceOf = (cid: { toString(): string }) => {
    asked.push(cid.toString())
    return embedder
  }
  const { benchmarks, references } = await embedCompared([set], { sourceOf, layers: true, signal, owner })
  assert.deepEqual([benchmarks.length, asked], [0, [index.cid.toString()]])
  const [{ cell, corpus, embeddings } = assert.fail()] = references
  assert.deepEqual([cell, corpus.count, corpus.text(1)], ['en/prose', 3, 'The harbour was silent.'])
  assert.deepEqual([...embeddings!.valid], [1, 1, 1])
  assert.deepEqual(
    embeddings!.layers!.map(({ name, dimensions }) => [name, dimensions]),
    embedder.reference.layers.map(({ name, width }) => [name, 2 * width]),
  )
  const [without] = (await embedCompared([set], { sourceOf: () => undefined, layers: true, signal, owner })).references
  assert.equal(without!.embeddings, undefined)
})

test('the file of reference texts has each cell once, and gives it up', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'assay-references-'))
  try {
    const path = join(dir, 'data', 'references.json')
    assert.equal(await referenceSettings.remove(path, 'en/news'), false)
    for (const [cell, number] of [['en/news', 1], ['de/news', 2], ['en/news', 3]] as const) await referenceSettings.add(path, named(cell, number)) // prettier-ignore
    const chosen = await referenceSettings.read(path)
    assert.deepEqual(chosen, [named('de/news', 2), named('en/news', 3)])
    await assert.rejects(referenceSettings.add(path, named('benchmark/exam', 1)), Problem)
    assert.equal(await referenceSettings.remove(path, 'de/news'), true)
    assert.deepEqual((await referenceSettings.read(path)).map(({ cell }) => cell), ['en/news']) // prettier-ignore
  } finally {
    await rm(dir, { recursive: true })
  }
})
