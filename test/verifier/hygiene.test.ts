import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { POLICIES } from '../../core/documents/selection.ts'
import { FLAGS } from '../../core/findings.ts'
import { classImbalance } from '../../verifier/detectors/classImbalance.ts'
import { nulls } from '../../verifier/detectors/nulls.ts'
import { spuriousCorrelation } from '../../verifier/detectors/spuriousCorrelation.ts'
import { addNumber, createNumberSummary, isSequence } from '../../verifier/quality/numberSummary.ts'
import { addValue, createSketch, distinctCount } from '../../verifier/quality/valueSketch.ts'
import { DETECTORS } from '../../verifier/recipe.ts'
import { testBlocks } from '../support/blocks.ts'
import { corpusOf, detect, numbersIn } from './corpora.ts'
import { reportOn } from './reports.ts'
import { reviews } from './sentences.ts'

const HYGIENE = DETECTORS.filter(({ property }) => property === 'hygiene')

describe('hygiene', () => {
  it('never drops a row by a policy that has a name of its own', () => {
    const flags = HYGIENE.flatMap(({ flag }) => flag ?? [])
    assert.ok(flags.length > 0 && flags.every((flag) => FLAGS.includes(flag)))
    for (const { exclude } of Object.values(POLICIES))
      assert.deepEqual(
        exclude.filter((flag) => flags.includes(flag)),
        [],
      )
  })

  it('decides no property', async () => {
    await using blocks = await testBlocks()
    const rows = reviews(300, 1)
    const plain = await reportOn(blocks, rows)
    const personal = await reportOn(
      blocks,
      rows.map((row, i) => ({ ...row, mail: `someone${i}@mail.test` })),
    )
    // Another column makes another seed, by which attacks are put into scratch copies; what is judged stays.
    const judged = ({ report }: typeof plain) =>
      report.properties.map(({ property, state, flaggedSamples, lowerBoundMillionths, coverageMillionths }) => ({
        property,
        state,
        flaggedSamples,
        lowerBoundMillionths,
        coverageMillionths,
      }))
    assert.deepEqual(judged(personal), judged(plain))
    assert.equal(personal.report.verdict, plain.report.verdict)
    assert.ok(personal.flagsOf(0).includes('personal_data'))
  })

  it('looks at every column, also nested ones and those of numbers', async () => {
    await using blocks = await testBlocks()
    const rows = reviews(60, 2).map((row, i) => ({
      ...row,
      id: 1000 + i,
      card: i === 7 ? 4_111_111_111_111_111 : null,
      author: { name: 'A', contacts: i === 9 ? ['none', 'jane@mail.test'] : [] },
      settings: i === 11 ? `api_key: "9f8A7s6Dk2Lm4Qw8Zx1Cv5Bn3Ty0Ru7Ei"` : 'none',
      source: i % 2 === 0 ? 'web' : 'book',
      blank: i < 30 ? '' : 'N/A',
    }))
    const { evidence, flagsOf, report } = await reportOn(blocks, rows)
    assert.ok(flagsOf(7).includes('personal_data') && flagsOf(9).includes('personal_data') && flagsOf(11).includes('secret'))
    assert.ok(!flagsOf(8).includes('personal_data'))
    const of = (detector: string) => evidence.filter((finding) => finding.detector === detector)
    assert.deepEqual(
      of('personal_data').map(({ facts }) => facts['columns']),
      [['author × 1'], ['card × 1']],
    )
    assert.deepEqual(
      of('identifier_column').map(({ summary }) => summary),
      ['The column "id" numbers the samples: every integer from 1000 to 1059 once, in the order of the samples.'],
    )
    assert.match(of('null')[0]!.summary, /^59 of 60 samples lack a value; 3 of 8 columns have missing, blank or stand-in values\.$/)
    assert.ok(String(of('null')[0]!.facts['columns']).includes('"blank": 0.00 % null, 0.00 % NaN, 50.00 % blank, 50.00 % stand-ins'))
    assert.ok(
      report.detectors.filter(({ id }) => HYGIENE.some((detector) => detector.id === id && detector.tier === 'T0')).every(({ ran }) => ran),
    )
  })

  it('tells columns that give the label away', async () => {
    await using blocks = await testBlocks()
    const rows = reviews(400, 4).map((row, i) => ({
      ...row,
      label_text: row.label === 'positive' ? 'good' : 'bad',
      code: `c-${i * 7919}`,
      same: 'x',
      rank: (row.label === 'positive' ? 100_000 : 0) + ((i * 7919) % 9973),
    }))
    const { evidence } = await reportOn(blocks, rows)
    const said = evidence.filter(({ detector }) => detector === 'identifier_column').map(({ summary }) => summary)
    assert.deepEqual(
      said.map((summary) => summary.replace(/ for .*| lies .*/, '')),
      [
        'The column "label_text" gives the label away: its values tell it right',
        'The column "code" has a value of its own',
        'The column "same" has the same value in all samples.',
        'The column "rank" has a value of its own',
        said[4]!.replace(/ lies .*/, ''),
      ],
    )
    assert.match(said[4]!, /^The column "rank" gives the label away: 99\.\d % of its variance lies between labels\.$/)
    assert.ok(evidence.some(({ detector, summary }) => detector === 'spurious_correlation' && summary.includes('"label_text"')))
  })
})

describe('nulls', () => {
  it('are counted by row and by column, and a row without any value is flagged', async () => {
    const { flagged, scores, findings } = await detect(
      nulls,
      corpusOf([{ text: 'a', label: 'x' }, { text: 'b' }, {}, { text: ' ', label: 'y' }]),
    )
    assert.deepEqual(numbersIn(flagged), [2])
    assert.deepEqual([...scores.values], [1_000_000, 500_000, 0, 1_000_000])
    assert.deepEqual(
      findings.map(({ sampleCount }) => sampleCount),
      [1, 2],
    )
  })
})

describe('class imbalance', () => {
  it('is a class with less than a tenth of an even share', async () => {
    const rows = [
      ...Array.from({ length: 500 }, () => 'a'),
      ...Array.from({ length: 500 }, () => 'b'),
      ...Array.from({ length: 10 }, () => 'c'),
    ]
    const { flagged, scores, findings } = await detect(classImbalance, corpusOf(rows.map((label) => ({ text: 't', label }))))
    assert.deepEqual(
      numbersIn(flagged),
      Array.from({ length: 10 }, (_, i) => 1000 + i),
    )
    assert.equal(scores.values[1000], Math.floor(10e6 / 1010))
    assert.equal(scores.values[0], 1_000_000)
    assert.deepEqual(findings[0]?.facts['rarest'], ['"c" × 10'])
  })

  it('is not in even classes, and not looked for among labels that are no classes', async () => {
    const even = await detect(classImbalance, corpusOf(['a', 'b', 'a', 'b'].map((label) => ({ text: 't', label }))))
    assert.deepEqual(even.findings, [])
    const names = corpusOf(Array.from({ length: 100 }, (_, i) => ({ text: 't', label: String(i) })))
    await assert.rejects(detect(classImbalance, names), /too many to be classes/)
  })
})

describe('spurious correlation', () => {
  it('is a label that the length of the text tells', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({
      text: 'word '.repeat(i % 2 === 0 ? 5 + (i % 7) : 30 + (i % 11)),
      label: String(i % 2),
    }))
    const { findings } = await detect(spuriousCorrelation, corpusOf(rows))
    assert.match(
      findings[0]!.summary,
      /^The label is told by the text's length in characters alone: right in 100\.0 % of cases, where guessing gives 50\.0 %\.$/,
    )
  })

  it('is not in labels that have nothing to do with the outside of the text', async () => {
    const rows = reviews(600, 6)
    const { findings } = await detect(spuriousCorrelation, corpusOf(rows))
    assert.deepEqual(findings, [])
  })
})

describe('a sketch of values', () => {
  it('counts different values exactly while they are few, and nearly when they are many', () => {
    const few = createSketch(100)
    for (let i = 0; i < 1000; i++) addValue(few, String(i % 90), i % 2 === 0 ? 'a' : 'b')
    assert.equal(distinctCount(few), 90)
    const many = createSketch(1000)
    for (let i = 0; i < 100_000; i++) addValue(many, `value ${i % 50_000}`, null)
    assert.ok(Math.abs(distinctCount(many) - 50_000) < 5000, String(distinctCount(many)))
    assert.ok(many.values.size <= 1000 && [...many.values.values()].every(({ count }) => count === 2))
  })
})

describe('a sequence', () => {
  const summaryOf = (values: number[]) => {
    const summary = createNumberSummary()
    for (const value of values) addNumber(summary, value, null)
    return summary
  }
  it('is every integer of a range once, in any order', () => {
    assert.ok(isSequence(summaryOf([3, 1, 2, 0, -1])))
    for (const values of [[1, 2, 2, 4], [1, 2, 4], [0.5, 1.5], [1], [1, 1], [], [2 ** 53, 2 ** 53 + 2]])
      assert.ok(!isSequence(summaryOf(values)), String(values))
  })
})
