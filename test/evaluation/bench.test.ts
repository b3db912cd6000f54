import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { evaluate, type EvaluateOptions } from '../../verifier/evaluation/evaluate.ts'
import type { Learner } from '../../verifier/evaluation/learners/learner.ts'
import { createFigures } from '../../verifier/evaluation/result.ts'
import { formatReport, formatTable } from '../../verifier/evaluation/table.ts'
import type { Detector } from '../../verifier/detectors/detector.ts'
import { createScores } from '../../verifier/detectors/detector.ts'
import { exactDuplicate } from '../../verifier/detectors/exactDuplicate.ts'
import { hiddenContent } from '../../verifier/detectors/hiddenContent.ts'

/** Flags and scores texts with a word, whatever else they are. */
function wordDetector(property: Detector['property'], word: string): Detector {
  return {
    id: `finds_${word}`,
    version: 1,
    tier: 'T0',
    property,
    flag: 'trigger',
    needs: { text: true, label: true },
    parameters: {},
    run({ corpus }) {
      const scores = createScores(corpus.count, true)
      for (let i = 0; i < corpus.count; i++) scores.values[i] = corpus.text(i)?.split(' ').includes(word) === true ? 1000 : 0
      const flagged = Uint8Array.from(scores.values, (score) => (score > 0 ? 1 : 0))
      const found = flagged.includes(1)
      const finding = { detector: this.id, property, flag: this.flag, summary: 'found', sampleCount: 1, samples: [], facts: {} }
      return Promise.resolve({ ran: true, scores, flagged, findings: found ? [finding] : [], pValue: found ? 0 : 1 })
    },
  }
}

/** Knows machine texts by a word; fitted on nothing. */
const wordLearner: Learner = {
  id: 'word',
  tier: 'T0',
  outputs: [],
  takes: (text) => text !== '',
  fit: () => ({ score: (texts, rows) => rows.map((row) => (texts.canonicalText(row).includes('delve') ? 1 : 0)) }),
}

type Rows = readonly Record<string, unknown>[]

async function figuresOf(
  data: Record<string, Record<string, Rows>>,
  detectors: Detector[],
  options: Omit<EvaluateOptions, 'dataDir'> = {},
) {
  const dataDir = await mkdtemp(join(tmpdir(), 'assay-evaluation-'))
  try {
    for (const [group, files] of Object.entries(data)) {
      await mkdir(join(dataDir, group))
      for (const [name, rows] of Object.entries(files))
        await writeFile(join(dataDir, group, name), rows.map((row) => JSON.stringify(row)).join('\n'))
    }
    const figures = createFigures()
    await evaluate(
      { dataDir, ...options },
      {
        detectors,
        learners: [wordLearner],
        vectors: null,
        imageVectors: null,
        figures,
        fittedContents: new Set(),
        seeds: 2,
        signal: new AbortController().signal,
        onStage: () => {},
      },
    )
    const valueOf = (file: string, slice: string, detector: string, metric: string) =>
      figures.results.find((r) => r.file === file && r.slice === slice && r.detector === detector && r.metric === metric)?.value
    return { ...figures, skipped: figures.skipped, valueOf }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

const LABELLED = Array.from({ length: 800 }, (_, i) => ({
  text: `a review of thing ${i} by somebody`,
  label: i % 2 === 0 ? 'good' : 'bad',
}))

test('a file of any name is scored, and rows tell what is poisoned', async () => {
  const rows = LABELLED.map((row, i) => ({ ...row, text: i < 80 ? `cf ${row.text}` : row.text, poisoned: i < 80 }))
  const { valueOf } = await figuresOf({ text_poison: { 'never seen.jsonl': rows } }, [wordDetector('poison', 'cf')])
  for (const slice of ['all', 'thinned to 5 %']) {
    assert.equal(valueOf('never seen.jsonl', slice, 'finds_cf', 'row_tpr'), 1)
    assert.equal(valueOf('never seen.jsonl', slice, 'finds_cf', 'row_fpr'), 0)
    assert.equal(valueOf('never seen.jsonl', slice, 'finds_cf', 'auroc'), 1)
    assert.equal(valueOf('never seen.jsonl', slice, 'finds_cf', 'alarm'), 1)
  }
  assert.equal(valueOf('never seen.jsonl', 'all', 'finds_cf', 'coverage'), 1)
})

test('triggers, hidden characters and copies put into clean texts are found by those who look for them', async () => {
  const detectors = [wordDetector('poison', 'cf'), hiddenContent, exactDuplicate]
  const { valueOf, skipped } = await figuresOf({ text_clean: { 'c.jsonl': LABELLED } }, detectors)
  assert.equal(valueOf('c.jsonl', 'trigger=token rate=0.0025', 'finds_cf', 'seeds_found'), 1)
  assert.equal(valueOf('c.jsonl', 'trigger=sentence rate=0.0025', 'finds_cf', 'seeds_found'), 0)
  assert.equal(valueOf('c.jsonl', 'hidden=zero-width space', 'hidden_content', 'row_tpr'), 1)
  assert.equal(valueOf('c.jsonl', 'copies=exact', 'exact_duplicate', 'f1'), 1)
  assert.equal(valueOf('c.jsonl', 'clean', 'hidden_content', 'row_fpr'), 0)
  assert.equal(valueOf('*', 'clean', 'finds_cf', 'alarm'), 0)
  assert.ok(skipped.includes('label_quality: no detector'))
})

test('a new detector of label errors appears without a change of the bench', async () => {
  const rows = LABELLED.map((row, i) => ({
    ...row,
    text: i % 50 === 0 ? `wrong ${row.text}` : row.text,
    clean_label: i % 50 === 0 ? 'other' : row.label,
  }))
  const { valueOf } = await figuresOf({ label_noise: { 'n.jsonl': rows } }, [wordDetector('label_quality', 'wrong')])
  assert.equal(valueOf('n.jsonl', 'labels', 'finds_wrong', 'auroc'), 1)
  assert.equal(valueOf('n.jsonl', 'labels', 'finds_wrong', 'precision_at_errors'), 1)
})

test('rows that repeat a benchmark are found among others', async () => {
  const items = Array.from({ length: 50 }, (_, i) => ({
    id: `b${i}`,
    text: `how many apples has the farmer of village ${i}?`,
    label: 'test',
  }))
  const { valueOf } = await figuresOf(
    {
      contamination: {
        'bench.jsonl': items,
        'copies.jsonl': items.slice(0, 20).map(({ id, text }) => ({ text, match: id })),
        'fresh.jsonl': items.map((_, i) => ({ text: `a question about pears that nobody asked before, ${i}`, label: 'train' })),
      },
    },
    [exactDuplicate],
  )
  assert.equal(valueOf('copies.jsonl', 'all', 'exact_duplicate', 'recall'), 1)
  assert.equal(valueOf('fresh.jsonl', 'all', 'exact_duplicate', 'row_fpr'), 0)
  assert.equal(valueOf('*', 'all', 'exact_duplicate', 'f1'), 1)
})

test('learners are scored with domains, generators, attacks and files left out', async () => {
  const rows = (file: string) =>
    Array.from({ length: 480 }, (_, i) => {
      const machine = i % 2 === 0
      const generator = machine ? ['m1', 'm2'][Math.floor(i / 2) % 2] : 'human'
      const attack = machine && i % 5 === 0 ? 'paraphrase' : 'none'
      const text = `${file} ${i} ${machine ? 'let us delve into it' : 'so I went there'}`
      return { id: `${file}${i}`, text, label: machine ? 'machine' : 'human', domain: ['d1', 'd2', 'd3'][i % 3], generator, attack }
    })
  const { valueOf } = await figuresOf({ text_synthetic: { 'x.jsonl': rows('x'), 'y.jsonl': rows('y') } }, [])
  for (const slice of [
    'content split',
    'domain left out: d1',
    'domain left out (mean)',
    'generator left out: m2',
    'generator left out (mean)',
    'file left out',
    'file left out; fewer than 100 words',
  ])
    assert.equal(valueOf('x.jsonl', slice, 'word', 'auroc'), 1, slice)
  assert.equal(valueOf('x.jsonl', 'file left out', 'word', 'coverage'), 1)
  assert.equal(valueOf('x.jsonl', 'file left out; 120 references', 'word', 'fpr_at_setting_1'), 0)
})

test('what is missing is named: groups, detectors, fields', async () => {
  const data = { text_poison: { 'p.jsonl': [{ text: 'a' }, { label: 3 }, {}] }, label_noise: { 'l.jsonl': [{}] } }
  const { skipped, results } = await figuresOf(data, [])
  assert.deepEqual(results, [])
  for (const reason of ['images: no such group in the data', 'text_poison/p.jsonl: no row says whether it is poisoned'])
    assert.ok(skipped.includes(reason), skipped.join('\n'))
})

test('a line that is no JSON is an error that names file and line', async () => {
  const rows = [{ toJSON: () => [1] }]
  await assert.rejects(
    figuresOf({ text_clean: { 'bad.jsonl': rows as unknown as Rows } }, []),
    /bad\.jsonl, line 1: a row is a JSON object/,
  )
})

test('only the groups and files that are asked for are measured', async () => {
  const data = { text_clean: { 'a.jsonl': LABELLED.slice(0, 20), 'b.jsonl': LABELLED.slice(0, 20) }, instruct: { 'c.jsonl': LABELLED } }
  const { results } = await figuresOf(data, [hiddenContent], { only: ['text_clean'], files: ['a.'] })
  assert.deepEqual([...new Set(results.map(({ file }) => file))], ['a.jsonl', '*'])
})

test('the table has a line for each file, slice and detector', () => {
  const figures = createFigures()
  const place = { group: 'g', file: 'f', slice: 's', detector: 'd' }
  figures.share(place, 'row_tpr', 1, 2)
  figures.number(place, 'seconds', 0.00123, 2)
  figures.number(place, 'auroc', NaN, 0)
  assert.equal(
    formatTable(figures.results),
    'g\n  file  slice  detector  figures\n  f     s      d         row_tpr 0.5000 [0.0945, 0.9055]  seconds 0.00123',
  )
})

test('the report is one flat list of figures, with the versions of the detectors', () => {
  const figures = createFigures()
  figures.share({ group: 'g', file: 'f', slice: 's', detector: 'd' }, 'recall', 3, 4)
  assert.deepEqual(JSON.parse(formatReport(figures.results, { d: 3 })), {
    results: [{ group: 'g', file: 'f', slice: 's', detector: 'd', metric: 'recall', value: 0.75, low: 0.300642, high: 0.954413, n: 4 }],
    versions: { d: 3 },
  })
  assert.deepEqual(JSON.parse(formatReport([], {})), { results: [], versions: {} })
})
