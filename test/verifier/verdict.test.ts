import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Power, Property, PropertyResult } from '../../core/documents/report.ts'
import type { Declaration } from '../../verifier/declaration.ts'
import type { DetectorResult } from '../../verifier/detectors/detector.ts'
import { judgeProperties, type Outcome, worstState } from '../../verifier/verdict.ts'

const THRESHOLDS = { alphaMillionths: 10_000, coverageMillionths: 950_000, powerMillionths: 10_000, syntheticPowerMillionths: 100_000 }
const SAMPLES = 100

/** A result over 100 samples of which the first are flagged and looked at. */
function outcome(property: Property, id: string, fields: Partial<DetectorResult> & { flags?: number; looked?: number }): Outcome {
  const { flags = 0, looked = SAMPLES, ...rest } = fields
  const ones = (count: number) => Uint8Array.from({ length: SAMPLES }, (_, i) => (i < count ? 1 : 0))
  const findings = flags === 0 ? [] : [{ detector: id, property, summary: `${id} saw it`, sampleCount: flags, samples: [], facts: {} }]
  return {
    id,
    property,
    result: {
      ran: true,
      scores: { values: new Int32Array(SAMPLES), valid: ones(looked) },
      flagged: ones(flags),
      findings,
      power: FOUND,
      ...rest,
    },
  }
}

function judge(outcomes: Outcome[]): PropertyResult {
  return judgeProperties(outcomes, SAMPLES, THRESHOLDS).find(({ property }) => property === 'poison')!
}

const FOUND: Power[] = [{ attack: 'word', minimumRateMillionths: 2500 }]

/** What becomes of synthetic_share where so many samples are flagged, at this lower bound, under this declaration. */
function declaring(share: Declaration['share'], fields: Parameters<typeof outcome>[2], generators: string[] = []): PropertyResult {
  const outcomes = [outcome('synthetic_share', 'synth', fields)]
  return judgeProperties(outcomes, SAMPLES, THRESHOLDS, { share, generators }).find(({ property }) => property === 'synthetic_share')!
}

const MANY = { flags: 40, pValue: 1e-9, lowerBoundSamples: 31 }
const NONE = { pValue: 0.4 }

describe('what is declared of synthetic content', () => {
  it('is contradicted by more than chance explains, and the report says by how much', () => {
    const { state, reasons, lowerBoundMillionths } = declaring('none', MANY)
    assert.deepEqual([state, lowerBoundMillionths], ['FLAGGED', 310_000])
    assert.deepEqual(reasons, [
      'Declared: none of it is synthetic. Measured: at least 31 % of it (95 % confidence) is unlike the human references.',
      'synth saw it',
    ])
  })

  it('is no offence where it is declared', () => {
    for (const share of ['some', 'all'] as const) {
      const { state, reasons, flaggedSamples } = declaring(share, MANY, ['a', 'b', 'c', 'd', 'e'])
      assert.deepEqual([state, flaggedSamples], ['CLEAR', 40])
      assert.equal(
        reasons[0],
        `As declared. Declared: ${share} of it is synthetic (generators: a, b, c, d and 1 more). Measured: at least 31 % of it (95 % confidence) is unlike the human references.`,
      )
    }
  })

  it('is as measured where nothing contradicts it', () => {
    for (const share of ['none', 'some', 'unknown'] as const) assert.deepEqual(declaring(share, NONE).state, 'CLEAR')
    for (const share of ['none', 'some', 'unknown', 'all'] as const)
      assert.equal(declaring(share, { ...NONE, looked: 10 }).state, 'INCONCLUSIVE', share)
  })

  it('is not confirmed where all is declared and none is measured', () => {
    const { state, reasons } = declaring('all', NONE)
    assert.equal(state, 'INCONCLUSIVE')
    assert.match(reasons[0]!, /^Declared: all of it is synthetic\. Measured: no more texts .* so nothing confirms it\.$/)
  })

  it('that is left out is said to be', () => {
    const { state, reasons } = declaring('unknown', { ...MANY, lowerBoundSamples: 0 })
    assert.equal(state, 'FLAGGED')
    assert.match(reasons[0]!, /^The contributor does not say .* Measured: more of the texts than chance explains is unlike/)
  })

  it('is clear with the power that references of some hundred texts give, where poison would not be', () => {
    const power = (rate: number): Power[] => [{ attack: 'machine text', minimumRateMillionths: rate }]
    assert.equal(declaring('none', { ...NONE, power: power(60_000) }).state, 'CLEAR')
    assert.equal(declaring('none', { ...NONE, power: power(110_000) }).state, 'INCONCLUSIVE')
    assert.equal(judge([outcome('poison', 'a', { pValue: 1, power: power(60_000) })]).state, 'INCONCLUSIVE')
  })

  it('changes nothing of the other properties', () => {
    const poison = [outcome('poison', 'a', { flags: 7, pValue: 0 })]
    const declared = judgeProperties(poison, SAMPLES, THRESHOLDS, { share: 'all', generators: [] })
    const [own, other] = [declared, judgeProperties(poison, SAMPLES, THRESHOLDS)].map((all) =>
      all.find(({ property }) => property === 'poison'),
    )
    assert.deepEqual(own, other)
  })

  it('is compared at both ends of what last digits decide', () => {
    const extremes = [
      { flagged: new Uint8Array(SAMPLES), pValue: 0.4, lowerBoundSamples: 0, findings: [] },
      { flagged: new Uint8Array(SAMPLES), pValue: 1e-9, lowerBoundSamples: 30, findings: [] },
    ]
    assert.equal(declaring('none', { ...MANY, extremes }).state, 'INCONCLUSIVE')
    assert.equal(declaring('some', { ...MANY, extremes }).state, 'CLEAR')
  })
})

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
      [[...FOUND, { attack: 'sentence', minimumRateMillionths: null, required: false }], 'CLEAR'],
      [[{ attack: 'sentence', minimumRateMillionths: null, required: false }], 'INCONCLUSIVE'],
    ]
    for (const [power, state] of powers) assert.equal(judge([outcome('poison', 'a', { pValue: 1, power })]).state, state)
  })

  it('of few samples is clear where one sample would have been found', () => {
    const few = (minimumRateMillionths: number) => {
      const { result, ...rest } = outcome('poison', 'a', { pValue: 1, power: [{ attack: 'a', minimumRateMillionths }] })
      return judgeProperties([{ ...rest, result }], 10, { ...THRESHOLDS, coverageMillionths: 0 })[2]!.state
    }
    assert.deepEqual([few(100_000), few(100_001)], ['CLEAR', 'INCONCLUSIVE'])
  })

  it('law: is never clear without a rate that would have been found, and no rate that a verdict asks for is missing or too high', () => {
    const power = fc.array(
      fc
        .record({
          attack: fc.constantFrom('a', 'b', 'c'),
          minimumRateMillionths: fc.option(fc.integer({ min: 0, max: 200_000 })),
          told: fc.boolean(),
        })
        .map(({ told, ...rest }): Power => (told ? { ...rest, required: false } : rest)),
      { maxLength: 3 },
    )
    const detector = fc
      .record({ pValue: fc.option(fc.constantFrom(0, 0.004, 1)), power: fc.option(power), flags: fc.integer({ min: 0, max: 9 }) })
      .map(({ pValue, power: stated, flags }) => {
        const { result, ...rest } = outcome('synthetic_share', 'a', { flags })
        const { power: _, ...bare } = result as DetectorResult
        const full: DetectorResult = { ...bare, ...(pValue === null ? {} : { pValue }), ...(stated === null ? {} : { power: stated }) }
        return { ...rest, result: full } satisfies Outcome
      })
    const declaration = fc.constantFrom<Declaration['share']>('none', 'some', 'all', 'unknown')
    let clear = 0
    fc.assert(
      fc.property(fc.array(detector, { maxLength: 3 }), declaration, (outcomes, share) => {
        const judged = judgeProperties(outcomes, SAMPLES, THRESHOLDS, { share, generators: [] })
        for (const { property, state, power: stated, flaggedSamples } of judged) {
          if (state !== 'CLEAR') continue
          clear++
          assert.equal(property, 'synthetic_share')
          assert.ok(stated.some(({ minimumRateMillionths: rate }) => rate !== null))
          // What is as declared was found: it need not have been found at less.
          if (flaggedSamples > 0) continue
          for (const { minimumRateMillionths: rate, required } of stated)
            assert.ok(required === false || (rate !== null && rate <= THRESHOLDS.syntheticPowerMillionths))
        }
      }),
      { numRuns: 2000 },
    )
    assert.ok(clear > 50)
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
