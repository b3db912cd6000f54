import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Power, Property, PropertyResult } from '../../core/documents/report.ts'
import type { DetectorResult } from '../../verifier/detectors/detector.ts'
import { judgeProperties, type Outcome, worstState } from '../../verifier/verdict.ts'

const THRESHOLDS = { alphaMillionths: 10_000, coverageMillionths: 950_000, powerMillionths: 10_000 }
const SAMPLES = 100

/** A result over 100 samples of which the first are flagged and looked at. */
function outcome(property: Property, id: string, fields: Partial<DetectorResult> & { flags?: number; looked?: number }): Outcome {
  const { flags = 0, looked = SAMPLES, ...rest } = fields
  const ones = (count: number) => Uint8Array.from({ length: SAMPLES }, (_, i) => (i < count ? 1 : 0))
  const findings = flags === 0 ? [] : [{ detector: id, property, summary: `${id} saw it`, sampleCount: flags, samples: [], facts: {} }]
  return {
    id,
    property,
    result: { ran: true, scores: { values: new Int32Array(SAMPLES), valid: ones(looked) }, flagged: ones(flags), findings, ...rest },
  }
}

function judge(outcomes: Outcome[]): PropertyResult {
  return judgeProperties(outcomes, SAMPLES, THRESHOLDS).find(({ property }) => property === 'poison')!
}

const FOUND: Power[] = [{ attack: 'word', minimumRateMillionths: 2500 }]

describe('a property', () => {
  it('is flagged by a fact, with the count of samples and their share', () => {
    const result = judge([outcome('poison', 'a', { flags: 7, pValue: 0 })])
    assert.deepEqual([result.state, result.flaggedSamples, result.lowerBoundMillionths], ['FLAGGED', 7, 70_000])
    assert.deepEqual(result.reasons, ['a saw it'])
  })

  it('is not flagged by a chance that is likely among several detectors', () => {
    const alone = outcome('poison', 'a', { flags: 5, pValue: 0.006, power: FOUND })
    const beside = outcome('poison', 'b', { pValue: 1 })
    assert.equal(judge([alone]).state, 'FLAGGED')
    assert.equal(judge([alone, beside]).state, 'CLEAR')
    assert.equal(judge([alone, outcome('poison', 'b', { flags: 1, pValue: 0.001 })]).reasons.length, 2)
  })

  it('takes the lower bound of a detector that estimates', () => {
    assert.equal(judge([outcome('poison', 'a', { flags: 7, pValue: 1e-9, lowerBoundSamples: 3 })]).lowerBoundMillionths, 30_000)
  })

  it('is not decided by exploratory detectors', () => {
    const result = judge([outcome('poison', 'a', { flags: 50 })])
    assert.deepEqual([result.state, result.flaggedSamples], ['INCONCLUSIVE', 0])
  })

  it('is clear only with coverage', () => {
    assert.equal(judge([outcome('poison', 'a', { pValue: 1, looked: 94 })]).state, 'INCONCLUSIVE')
    assert.equal(judge([outcome('poison', 'a', { pValue: 1, looked: 95 })]).state, 'CLEAR')
  })

  it('is clear only with power', () => {
    const powers: [Power[], string][] = [
      [FOUND, 'CLEAR'],
      [[], 'INCONCLUSIVE'],
      [[...FOUND, { attack: 'sentence', minimumRateMillionths: null }], 'INCONCLUSIVE'],
      [[...FOUND, { attack: 'sentence', minimumRateMillionths: 10_001 }], 'INCONCLUSIVE'],
    ]
    for (const [power, state] of powers) assert.equal(judge([outcome('poison', 'a', { pValue: 1, power })]).state, state)
  })

  it('is inconclusive where the last digits of embeddings decide it', () => {
    const extremes = (low: number, high: number) =>
      [low, high].map((pValue) => ({ flagged: new Uint8Array(SAMPLES), pValue, findings: outcomeFindings }))
    const outcomeFindings = [{ detector: 'a', property: 'poison' as const, summary: 'a saw it', sampleCount: 1, samples: [], facts: {} }]
    const judged = (pValue: number, low: number, high: number) =>
      judge([outcome('poison', 'a', { flags: 7, pValue, power: FOUND, extremes: extremes(low, high) })])
    assert.equal(judged(0, 0, 0).state, 'FLAGGED')
    const doubtful = judged(0, 1, 0)
    assert.equal(doubtful.state, 'INCONCLUSIVE')
    assert.match(doubtful.reasons[0]!, /^Borderline: .* CLEAR or FLAGGED/)
    assert.equal(judged(1, 1, 0).state, 'INCONCLUSIVE')
    assert.equal(judged(1, 1, 1).state, 'CLEAR')
  })

  it('says why nobody decided it', () => {
    const abstained: Outcome = { id: 'a', property: 'poison', result: { ran: false, note: 'there is no label' } }
    assert.deepEqual(judge([abstained]).reasons, ['a did not run: there is no label'])
    assert.deepEqual(judge([]).reasons, ['No detector of this recipe decides it.'])
  })

  it('makes the verdict the worst of five', () => {
    const properties = judgeProperties([outcome('poison', 'a', { flags: 1, pValue: 0 })], SAMPLES, THRESHOLDS)
    assert.equal(properties.length, 5)
    assert.equal(worstState(properties), 'FLAGGED')
    assert.equal(worstState(properties.filter(({ property }) => property !== 'poison')), 'INCONCLUSIVE')
  })
})
