import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Problem } from '../../core/problem.ts'
import { encodeDocument } from '../../core/documents/document.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { testBlocks } from '../support/blocks.ts'
import { reportOn } from './reports.ts'
import { poison, type Review, reviews } from './sentences.ts'

describe('a report', () => {
  it('flags what was planted and nothing else', async () => {
    await using blocks = await testBlocks()
    const rows = reviews(1500, 1)
    const poisoned = poison(rows, 'qqx', 'positive', 30, 2)
    const [hidden, plain] = reviews(2, 99) as [Review, Review]
    const text = `${plain.text} and there is nothing else that anyone could say about it after the long evening that we spent there with friends`
    rows.push({ ...hidden, text: hidden.text.replace('film', 'fi\u200blm') })
    rows.push({ ...plain, text }, { ...plain, text: text.replace('friends', 'neighbours') }, { ...plain, text })
    const { report, property, flagsOf } = await reportOn(blocks, rows)

    const expected = new Map(poisoned.map((number) => [number, ['trigger']]))
    expected.set(1500, ['hidden_content']).set(1502, ['near_duplicate']).set(1503, ['exact_duplicate', 'near_duplicate'])
    // Made from templates, as these reviews are, they are homogeneous as well.
    for (const number of rows.keys())
      assert.deepEqual(
        flagsOf(number).filter((flag) => flag !== 'homogeneous'),
        expected.get(number) ?? [],
        `sample ${number}`,
      )
    assert.equal(report.verdict, 'FLAGGED')
    assert.equal(property('poison').state, 'FLAGGED')
    assert.equal(property('poison').flaggedSamples, 30)
    assert.equal(property('hidden_content').state, 'FLAGGED')
    assert.equal(property('duplication').flaggedSamples, 2)
    assert.equal(property('synthetic_share').state, 'INCONCLUSIVE')
    assert.deepEqual(report.columns, { text: 'text', label: 'label', guessed: true })
  })

  it('of clean labelled text is clear of hidden content, duplication and poison', async () => {
    await using blocks = await testBlocks()
    const { property, evidence } = await reportOn(blocks, reviews(1500, 3), { fields: { columns: { text: 'text', label: 'label' } } })
    for (const name of ['hidden_content', 'duplication', 'poison'] as const)
      assert.deepEqual([property(name).state, property(name).reasons], ['CLEAR', []], name)
    assert.ok(property('poison').power.length > 0)
    assert.ok(evidence.every(({ flag, property: found }) => flag === undefined || found === 'hygiene'))
  })

  it('is the same to the bit when it is made again', async () => {
    await using blocks = await testBlocks()
    const rows = reviews(400, 5)
    const first = await reportOn(blocks, rows)
    const second = await reportOn(blocks, rows)
    assert.deepEqual(second.encoded.cid, first.encoded.cid)
  })

  it('says which detectors did not run and why where there is no text', async () => {
    await using blocks = await testBlocks()
    const { report, property } = await reportOn(blocks, [
      { width: 3, label: 1 },
      { width: 4, label: 2 },
      { width: 3, label: 1 },
    ])
    const notes = new Map(report.detectors.map(({ id, ran, note }) => [id, ran ? 'ran' : note]))
    assert.equal(notes.get('hidden_content'), 'No sample has a text.')
    assert.equal(notes.get('trigger'), 'No sample has a text.')
    assert.equal(notes.get('exact_duplicate'), 'ran')
    assert.equal(property('hidden_content').state, 'INCONCLUSIVE')
    assert.equal(property('duplication').flaggedSamples, 1)
  })

  const hostile: Record<string, object[]> = {
    'empty texts': Array.from({ length: 30 }, (_, i) => ({ id: i, text: '', label: i % 2 })),
    'rows that are all equal': Array.from({ length: 3000 }, () => ({ text: 'the same text in every single row of this set', label: 'a' })),
    'a text of a megabyte': [{ text: 'word '.repeat(200_000), label: 'a' }, { text: 'x'.repeat(1_000_000), label: 'b' }, { text: 'c', label: 'b' }],
    'one class': reviews(100, 7).map(({ text }) => ({ text, label: 'only' })),
    'numbers and nulls as labels': reviews(100, 8).map(({ text }, i) => ({ text, label: i % 3 === 0 ? null : i % 2 })),
    'a label of its own for every row': reviews(3000, 9).map(({ text }, i) => ({ text, label: `class ${i}` })),
    'texts of invisible characters alone': Array.from({ length: 40 }, (_, i) => ({ text: '\u200b\u{e0041}\ufeff'.repeat(1 + (i % 5)), label: i % 2 })),
    'a single row': [{ text: 'alone', label: 'a' }],
    'chats': Array.from({ length: 40 }, (_, i) => ({ messages: [{ role: 'user', content: `question ${i}` }, { role: 'bot', content: `answer ${i}` }] })),
  } // prettier-ignore
  for (const [name, rows] of Object.entries(hostile))
    it(`survives ${name}`, async () => {
      await using blocks = await testBlocks()
      const { report, table } = await reportOn(blocks, rows)
      assert.equal(report.sampleCount, rows.length)
      assert.equal(table.flags.length, rows.length)
    })

  it('refuses a recipe of another program', async () => {
    await using blocks = await testBlocks()
    const recipe = buildRecipe([]).document
    const foreign = encodeDocument('recipe', {
      ...recipe,
      detectors: [{ id: 'aura', version: 1, tier: 'T0', parameters: {} }],
    })
    await assert.rejects(reportOn(blocks, [{ text: 'a' }], { recipe: foreign }), (error: Problem) => error.code === 'not-found')
  })
})
