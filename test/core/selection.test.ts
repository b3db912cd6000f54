import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { utf8ToBytes } from '../../core/bytes.ts'
import { cidOf, CODEC_DAG_JSON, CODEC_RAW } from '../../core/cid.ts'
import { encodeDocument } from '../../core/documents/document.ts'
import { POLICIES } from '../../core/documents/selection.ts'
import { FLAGS, flagNames, flagsMask } from '../../core/findings.ts'
import { Problem } from '../../core/problem.ts'
import { computeSelection } from '../../core/selection.ts'

const cid = (text: string) => cidOf(CODEC_DAG_JSON, utf8ToBytes(text))
const index = cid('index')

const anyInput = fc.integer({ min: 1, max: 100 }).chain((sampleCount) =>
  fc.record({
    sampleCount: fc.constant(sampleCount),
    flags: fc.array(fc.array(fc.nat(2 ** FLAGS.length - 1), { minLength: sampleCount, maxLength: sampleCount }), {
      minLength: 1,
      maxLength: 4,
    }),
    exclude: fc.subarray([...FLAGS].sort()),
  }),
)

suite('selection', () => {
  test('law: a sample is selected when no report flags it with anything that the policy excludes', () => {
    fc.assert(
      fc.property(anyInput, ({ sampleCount, flags, exclude }) => {
        const reports = flags.map((each, i) => ({ cid: cid(`report ${i}`), flags: Uint32Array.from(each) }))
        const { bitmap, selection } = computeSelection({ index, sampleCount, reports, policy: { name: 'mine', exclude } })
        const expected = Array.from({ length: sampleCount }, (_, i) => i).filter((i) =>
          flags.every((each) => flagNames(each[i]!).every((name) => !exclude.includes(name))),
        )
        assert.deepEqual([...bitmap], expected)
        assert.equal(selection.selectedCount, expected.length)
      }),
    )
  })

  test('law: the order in which reports are given changes nothing', () => {
    fc.assert(
      fc.property(anyInput, ({ sampleCount, flags, exclude }) => {
        const reports = flags.map((each, i) => ({ cid: cid(`report ${i}`), flags: Uint32Array.from(each) }))
        const policy = { name: 'mine', exclude }
        assert.deepEqual(
          computeSelection({ index, sampleCount, reports: reports.toReversed(), policy }).selection,
          computeSelection({ index, sampleCount, reports, policy }).selection,
        )
      }),
      { numRuns: 20 },
    )
  })

  test('the document is a valid Selection for every named policy', () => {
    const flags = Uint32Array.of(0, flagsMask(['outlier']), flagsMask(['trigger', 'outlier']))
    const counts = Object.values(POLICIES).map((policy) => {
      const { bitmap, selection } = computeSelection({ index, sampleCount: 3, reports: [{ cid: cid('report'), flags }], policy })
      return encodeDocument('selection', { ...selection, bitmap: cidOf(CODEC_RAW, bitmap.bytes) }).document.selectedCount
    })
    assert.deepEqual(Object.fromEntries(Object.keys(POLICIES).map((name, i) => [name, counts[i]])), {
      verified: 2,
      strict: 1,
      'as-published': 3,
    })
  })

  test('what cannot be computed is refused', () => {
    const report = { cid: cid('report'), flags: new Uint32Array(3) }
    const refuses = (code: string, sampleCount: number, reports: (typeof report)[]) =>
      assert.throws(
        () => computeSelection({ index, sampleCount, reports, policy: POLICIES.verified }),
        (error) => error instanceof Problem && error.code === code,
      )
    refuses('not-ready', 3, [])
    refuses('invalid-document', 4, [report])
    refuses('invalid-request', 3, [report, report])
    assert.equal(computeSelection({ index, sampleCount: 3, reports: [], policy: POLICIES['as-published'] }).selection.selectedCount, 3)
  })
})
