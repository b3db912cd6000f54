import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeLedger, readLedgers } from '../../verifier/evaluation/fitLedger.ts'
import type { Texts } from '../../verifier/evaluation/learners/learner.ts'
import { linearLearner } from '../../verifier/evaluation/learners/linear.ts'
import { contentHash } from '../../verifier/evaluation/split.ts'
import { createRandom } from '../../verifier/random.ts'
import { auroc } from '../../verifier/evaluation/statistics/roc.ts'
import { calibrate } from '../../verifier/evaluation/synthetic/calibration.ts'
import { plansOf } from '../../verifier/evaluation/synthetic/plans.ts'
import { createTextPool } from '../../verifier/evaluation/synthetic/textPool.ts'
import { parseEvalRow } from '../../verifier/evaluation/evalRow.ts'
import { openTextVectors } from '../../verifier/evaluation/textVectors.ts'
import { openVectorCache } from '../../verifier/evaluation/vectorCache.ts'
import type { Embedder } from '../../verifier/embedding/embedder.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { referenceOf } from '../../core/models.ts'

/** Roughly normal numbers. */
function normals(name: string, count: number): number[] {
  const random = createRandom(name)
  return Array.from(
    { length: count },
    () => Array.from({ length: 12 }, () => random.below(1 << 20) / (1 << 20)).reduce((a, b) => a + b) - 6,
  )
}

function poolOf(rows: readonly Record<string, unknown>[]) {
  return createTextPool([{ name: 'f', rows: rows.map((row, i) => parseEvalRow(JSON.stringify(row), i)) }], null)
}

test('no plan scores a text that it was fitted on, nor a copy of one, nor the part that it leaves out in its fit', () => {
  const { rows } = poolOf(
    Array.from({ length: 400 }, (_, i) => ({
      id: `r${i}`,
      text: `text ${i % 2 === 0 ? i : i % 160} ${i % 7 === 0 ? 'X' : 'x'}`,
      label: i % 2 === 0 ? 'machine' : 'human',
      domain: `d${i % 4}`,
      generator: i % 2 === 0 ? `g${i % 3}` : 'human',
      pair: i % 2 === 0 ? undefined : `r${i - 1}`,
    })),
  )
  const plans = plansOf(rows, () => true)
  assert.ok(plans.some(({ slice }) => slice === 'generator left out: g1'))
  for (const { slice, fit, scored } of plans) {
    const contents = new Set(fit.map((row) => rows[row]!.content))
    assert.ok(scored.every((row) => !contents.has(rows[row]!.content)))
    const generator = /^generator left out: (.*)/.exec(slice)?.[1]
    if (generator !== undefined) assert.ok(fit.every((row) => rows[row]!.generator !== generator))
  }
  const split = plans.find(({ slice }) => slice === 'content split')!
  const groups = new Set(split.fit.map((row) => rows[row]!.group))
  assert.ok(split.scored.every((row) => !groups.has(rows[row]!.group)))
})

test('against references of their own kind one in a hundred human texts is flagged, and shares come out right', () => {
  const humans = normals('humans', 1500)
  const machines = normals('machines', 1500).map((score) => score + 5)
  const { references, humans: flagged, machines: found, fractions } = calibrate(humans, machines, 'test')!
  assert.equal(references, 300)
  assert.ok(Math.abs(flagged.flagged / flagged.tested - 0.01) < 0.004)
  assert.ok(found.flagged / found.tested > 0.95)
  assert.ok(fractions.lowerBoundsThatHold / fractions.n > 0.9)
  assert.equal(calibrate(humans.slice(0, 100), machines, 'too few'), null)
})

test('the linear learner finds the direction that parts two classes, also where references have moved', () => {
  const count = 600
  const noise = normals('noise', count * 2)
  const vectors = Float32Array.from(
    { length: count * 2 },
    (_, k) => noise[k]! * (k % 2 === 0 ? 1 : 0.2) + (k % 2 === 1 && k >= count ? 2 : 0),
  )
  const texts: Texts = {
    count,
    text: () => 'x',
    canonicalText: () => 'x',
    kind: () => 'k',
    matrix: () => ({ dimensions: 2, vectors, valid: new Uint8Array(count).fill(1) }),
  }
  const rows = Array.from({ length: count }, (_, i) => i)
  const scorer = linearLearner('embedding').fit(texts, rows, (row) => row >= count / 2)
  for (const used of [scorer, scorer.centredOn!(texts, rows.slice(0, 200))]) {
    const scores = used.score(texts, rows).map((score) => score!)
    assert.ok(auroc(scores.slice(count / 2), scores.slice(0, count / 2))!.value > 0.99)
  }
})

test('cached vectors come back as they were, and files of another shape are passed over', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'assay-vectors-'))
  try {
    const [a, b] = [contentHash('a'), contentHash('b')]
    const cache = await openVectorCache(dir, 2)
    await cache.add([a, b], Float32Array.of(1, 2, 3, 4))
    await writeFile(join(dir, 'short.vectors'), Buffer.from([2, 0, 0, 0, 9, 0, 0, 0]))
    assert.deepEqual((await openVectorCache(dir, 2)).get(b), Float32Array.of(3, 4))
    assert.equal((await openVectorCache(dir, 3)).get(a), undefined)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('texts are embedded once, with the inner layers where these are asked for', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'assay-vectors-'))
  const reference = referenceOf(DEFAULT_MODEL.model)
  const embedded: string[] = []
  const embedder: Pick<Embedder, 'reference' | 'embed'> = {
    reference,
    embed: async (texts, { layers: wanted = false }) => {
      for (let i = 0; i < texts.count; i++) embedded.push(texts.text(i)!)
      const layers = (wanted ? reference.layers : []).map(({ name, width }) => ({
        name,
        ...vectorsInMemory(new Float32Array(texts.count * 2 * width).fill(7), 2 * width),
      }))
      const vectors = vectorsInMemory(new Float32Array(texts.count * reference.dimensions).fill(1), reference.dimensions)
      return createEmbeddings({ vectors, valid: new Uint8Array(texts.count).fill(1), layers })
    },
  }
  const source = (...texts: (string | null)[]) => ({ count: texts.length, text: (i: number) => texts[i] ?? null })
  const { signal } = new AbortController()
  try {
    const vectors = openTextVectors({ embedder, cacheDir, onProgress: () => {} })
    const [layer] = vectors.outputs.filter((name) => name.startsWith('layer/'))
    const inner = await vectors.matrix(source('one', null, 'one', ' '), layer!, signal)
    assert.deepEqual([...inner.valid], [1, 0, 1, 0])
    const again = openTextVectors({ embedder, cacheDir, onProgress: () => {} })
    const { vectors: embeddings, layers } = await again.embeddings(source('one', 'two'), { layers: false, signal })
    assert.deepEqual([embeddings.count, embeddings.dimensions], [2, reference.dimensions])
    assert.deepEqual(layers, [])
    assert.deepEqual(embedded, ['one', 'two'])
    await assert.rejects(again.matrix(source('one'), 'no such output', signal), RangeError)
  } finally {
    await rm(cacheDir, { recursive: true, force: true })
  }
})

test('a ledger knows the texts that were fitted on, and holds none of them', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'assay-ledger-'))
  try {
    const contents = ['b', 'a', 'a'].map(contentHash)
    const bytes = encodeLedger(contents)
    assert.equal(bytes.length, 16)
    await writeFile(join(dir, 'ledger'), bytes)
    const ledger = await readLedgers([join(dir, 'ledger')])
    assert.ok(ledger.has(contentHash('A ')) && ledger.has(contentHash('b')) && !ledger.has(contentHash('c')))
    await assert.rejects(readLedgers([join(dir, 'missing')]))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
