import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { ErrorTable, errorRatesReference, errorRatesUnder, TABLE_FILE } from '../../verifier/errorRates/errorRates.ts'
import { errorTable, formatErrorTable } from '../../verifier/evaluation/errorRates.ts'
import { createFigures, type Result } from '../../verifier/evaluation/result.ts'
import { buildRecipe, DETECTORS } from '../../verifier/recipe.ts'

/** Shares as an evaluation gives them: hits of rows. */
function shares(...all: [group: string, file: string, slice: string, metric: string, hits: number, rows: number][]): readonly Result[] {
  const figures = createFigures()
  for (const [group, file, slice, metric, hits, rows] of all) figures.share({ group, file, slice, detector: 'd' }, metric, hits, rows)
  return figures.results
}

describe('error rates', () => {
  test('of clean samples count every set once, by what least was done to', () => {
    const results = shares(
      ['text_clean', 'a.jsonl', 'clean', 'row_fpr', 3, 1000],
      ['text_clean', 'a.jsonl', 'copies=exact', 'row_fpr', 500, 1000],
      ['text_clean', 'b.jsonl', 'copies=white space', 'row_fpr', 9, 500],
      ['text_clean', 'b.jsonl', 'copies=exact', 'row_fpr', 1, 500],
      ['contamination', '*', 'all', 'row_fpr', 400, 500],
    )
    assert.deepEqual(errorTable([{ results }], ['d', 'e']), {
      sets: ['text_clean/a.jsonl', 'text_clean/b.jsonl'],
      detectors: { d: { clean: { sets: 2, samples: 1500, flaggedSamples: 4 } } },
    })
  })

  test('of what is known or put in are told by what it is, over files and seeds, and means do not count', () => {
    const figures = createFigures()
    figures.number({ group: 'text_clean', file: 'a.jsonl', slice: 'trigger=token rate=0.0025', detector: 'd' }, 'row_tpr', 0.9, 20)
    const results = [
      ...figures.results,
      ...shares(
        ['text_clean', 'a.jsonl', 'hidden=tag characters', 'row_tpr', 10, 10],
        ['text_clean', 'b.jsonl', 'hidden=tag characters', 'row_tpr', 20, 30],
        ['text_clean', 'a.jsonl', 'labels flipped rate=0.05 seed=0', 'recall', 5, 10],
        ['text_clean', 'a.jsonl', 'labels flipped rate=0.05 seed=1', 'recall', 6, 10],
        ['text_poison', 'words.jsonl', 'thinned to 0.01', 'row_tpr', 7, 10],
        ['contamination', 'rephrased.jsonl', 'all', 'recall', 8, 10],
        ['text_synthetic', 'c.jsonl', 'as shipped; en/news', 'tpr_at_setting', 4, 10],
        ['text_synthetic', 'c.jsonl', 'as shipped; en/news', 'fpr_at_setting', 1, 10],
        ['text_synthetic', 'c.jsonl', 'as shipped; en/news; human texts alone', 'fpr_at_setting', 0, 10],
      ),
    ]
    const { d } = errorTable([{ results, versions: { d: 4 } }], ['d']).detectors
    assert.equal(d!.version, 4)
    assert.deepEqual(d!.clean, { sets: 1, samples: 10, flaggedSamples: 0 })
    assert.deepEqual(
      d!.planted!.map(({ what, samples, foundSamples }) => `${what}: ${foundSamples} of ${samples}`),
      [
        'hidden: tag characters: 30 of 40',
        'labels flipped rate=0.05: 11 of 20',
        'machine texts, en/news: 4 of 10',
        'rephrased: 8 of 10',
        'words, thinned to 0.01: 7 of 10',
      ],
    )
  })

  test('of a place that several evaluations measured are those of the last', () => {
    const [first, second] = [100, 1].map((hits) => ({ results: shares(['text_clean', 'a', 'clean', 'row_fpr', hits, 1000]) }))
    assert.equal(errorTable([first!, second!], ['d']).detectors['d']!.clean!.flaggedSamples, 1)
  })

  test('that ship are of detectors that exist, hold figures alone, and survive being written again', async () => {
    const text = await readFile(TABLE_FILE, 'utf8')
    const table = ErrorTable.parse(JSON.parse(text))
    assert.ok(Object.keys(table.detectors).every((id) => DETECTORS.some((detector) => detector.id === id)))
    assert.equal(formatErrorTable(table), text)
  })

  test('stand in a report only where its recipe names this very table', () => {
    const recipe = buildRecipe([]).document
    assert.ok(recipe.weights.some(({ name, sha256 }) => name === 'error-rates' && sha256 === errorRatesReference().sha256))
    assert.notDeepEqual(errorRatesUnder(recipe), {})
    const other = recipe.weights.map((weight) => (weight.name === 'error-rates' ? { ...weight, sha256: '0'.repeat(64) } : weight))
    assert.deepEqual(errorRatesUnder({ weights: other }), {})
    assert.deepEqual(errorRatesUnder({ weights: [] }), {})
  })
})
