import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { describeFinding } from '../../cli/findingText.ts'
import { describeReport } from '../../cli/reportText.ts'
import { wrap } from '../../cli/wrap.ts'
import { CID } from '../../core/cid.ts'
import { PROPERTIES, type Power, type PropertyResult, type Report, State } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { powerSentences } from '../../core/powerText.ts'

const LINK = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

function reportOf(properties: PropertyResult[], detectors: Report['detectors'] = []): Report {
  return {
    kind: 'report',
    version: 1,
    index: LINK,
    recipe: LINK,
    sampleCount: 1000,
    verdict: 'INCONCLUSIVE',
    properties,
    detectors,
    findings: LINK,
    evidence: LINK,
    columns: { text: 'text', guessed: true },
    notCovered: ['Columns that nobody reads.'],
  }
}

const POWER = fc.record(
  {
    attack: fc.constantFrom('a word', 'a sentence', 'copies'),
    minimumRateMillionths: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
    injectedSamples: fc.constant(64),
    foundSamples: fc.integer({ min: 0, max: 64 }),
    note: fc.constant('there is no place for it'),
    required: fc.constant(false as const),
  },
  { requiredKeys: ['attack', 'minimumRateMillionths'] },
)

const RESULT: fc.Arbitrary<PropertyResult> = fc.record({
  property: fc.constantFrom(...PROPERTIES),
  state: fc.constantFrom(...State.options),
  reasons: fc.array(fc.lorem()),
  flaggedSamples: fc.nat({ max: 1000 }),
  lowerBoundMillionths: fc.nat({ max: 1_000_000 }),
  coverageMillionths: fc.nat({ max: 1_000_000 }),
  power: fc.array(POWER, { maxLength: 5 }),
})

/** Text without the line breaks that a terminal needs. */
function unwrapped(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

describe('what a person reads of a report', () => {
  it('law: CLEAR stands nowhere without what would have been found, or that this was not measured', () => {
    fc.assert(
      fc.property(fc.array(RESULT, { minLength: 1, maxLength: 5 }), (properties) => {
        const text = describeReport(reportOf(properties), [], 20)
        const sections = text.split(/^(?=(?:hidden_content|duplication|poison|label_quality|synthetic_share) )/m).slice(1)
        assert.equal(sections.length, properties.length)
        for (const [i, section] of sections.entries()) {
          const { state, power } = properties[i]!
          if (state === 'CLEAR') assert.match(unwrapped(section), /ould (?:not )?have been found|Not measured/)
          for (const { attack, minimumRateMillionths: rate, note } of power) {
            assert.ok(section.includes(attack))
            if (rate !== null) assert.ok(unwrapped(section).includes(`from ${Number((rate / 10_000).toPrecision(3))} % of the samples on`))
            else assert.match(unwrapped(section), note === undefined ? /not have been found at any rate tried/ : /Not measured/)
          }
        }
      }),
    )
  })

  it('fits a terminal of 80 columns', () => {
    const detectors: Report['detectors'] = [
      { id: 'trigger', tier: 'T0', ran: true, note: 'so many n-grams '.repeat(12), scoredSamples: 1000, flaggedSamples: 3 },
      { id: 'label_error', tier: 'T1', ran: false, note: 'The recipe names no embedding model.', scoredSamples: 0, flaggedSamples: 0 },
    ]
    fc.assert(
      fc.property(fc.array(RESULT, { maxLength: 3 }), (properties) => {
        const lines = describeReport(reportOf(properties, detectors), [], 20).split('\n')
        for (const line of lines.filter((one) => !one.includes(' flagged, at least '))) assert.ok(Array.from(line).length <= 80, line)
      }),
    )
  })

  it('says of each detector what it got wrong on public data, and of what did not run, why', () => {
    const text = unwrapped(
      describeReport(
        reportOf(
          [],
          [
            {
              id: 'near_duplicate',
              tier: 'T0',
              ran: true,
              scoredSamples: 900,
              flaggedSamples: 12,
              errorRates: {
                version: 2,
                clean: { sets: 5, samples: 23_000, flaggedSamples: 46 },
                planted: [
                  { what: 'copies: exact', samples: 1150, foundSamples: 1150 },
                  { what: 'copies: reworded', samples: 1000, foundSamples: 333 },
                ],
              },
            },
            { id: 'trigger', tier: 'T0', property: 'poison', ran: false, note: 'no label', scoredSamples: 0, flaggedSamples: 0 },
          ],
        ),
        [],
        20,
      ),
    )
    assert.ok(
      text.includes(
        'near_duplicate: 12 of 900 flagged On public data, in version 2, it flagged 0.2 % of 23000 clean samples (sets: 5); it found 100 % of copies: exact; 33 % of copies: reworded.',
      ),
    )
    assert.ok(text.includes('detectors of poison: trigger did not run: no label'))
    assert.ok(text.includes('not covered: Columns that nobody reads.'))
  })
})

describe('what would have been found, in words', () => {
  it('is grouped by rate, the lowest first, and names what is not known', () => {
    const power: Power[] = [
      { attack: 'x', minimumRateMillionths: null },
      { attack: 'b', minimumRateMillionths: 5000, injectedSamples: 64, foundSamples: 17 },
      { attack: 'a', minimumRateMillionths: 169, injectedSamples: 64, foundSamples: 64 },
      { attack: 'p', minimumRateMillionths: null, required: false, note: 'nobody can' },
      { attack: 'c: d', minimumRateMillionths: 169 },
      { attack: 'c: e', minimumRateMillionths: 169 },
    ]
    assert.deepEqual(powerSentences(power), [
      'Would have been found from 0.0169 % of the samples on: a; c (d; e).',
      'Would have been found from 0.5 % of the samples on (17 of 64 samples tried are found): b.',
      'Would not have been found at any rate tried: x.',
      'Not measured: p (nobody can).',
    ])
    assert.deepEqual(powerSentences([]), ['What would have been found was not measured.'])
  })
})

describe('findings', () => {
  const of = (detector: string, property: Finding['property'], count: number) =>
    Array.from({ length: count }, (_, i): Finding => ({
      detector,
      property,
      summary: `${detector} ${i}`,
      sampleCount: 0,
      samples: [],
      facts: {},
    }))

  it('are shown for each detector up to a limit, hygiene apart', () => {
    const findings = [...of('a', 'poison', 3), ...of('b', 'duplication', 1), ...of('null', 'hygiene', 2)]
    const lines = describeReport(reportOf([]), findings, 2).split('\n')
    assert.deepEqual(lines.slice(lines.indexOf('findings:'), lines.indexOf('not covered:') - 1), [
      'findings:',
      '  a: a 0',
      '  a: a 1',
      '  a: and 1 more; --evidence 3 shows all',
      '  b: b 0',
      '',
      'hygiene (no part of the verdict):',
      '  null: null 0',
      '  null: null 1',
    ])
  })
})

describe('a finding', () => {
  const finding: Finding = {
    detector: 'near_duplicate',
    property: 'duplication',
    summary: '3 samples are nearly the same as sample 4, which is kept.',
    sampleCount: 3,
    samples: [5, 6, 7],
    facts: {
      similarity_millionths: 873_000,
      log_chance_thousandths: -9500,
      kept: 'A rather long sentence that has to be broken in two, since a terminal has eighty columns alone.',
      differences: ['one\u001b[2Jtwo', 'b', 'c', 'd', 'e', 'f'],
    },
  }

  it('is shown with its evidence, whose control characters never reach the terminal', () => {
    assert.deepEqual(describeFinding(finding), [
      '  near_duplicate: 3 samples are nearly the same as sample 4, which is kept.',
      '    (samples 5, 6, 7)',
      '    similarity: 87.3 %; log chance: -9.5',
      '    kept: A rather long sentence that has to be broken in two, since a terminal',
      '      has eighty columns alone.',
      '    differences:',
      '    - one�[2Jtwo',
      '    - b',
      '    - c',
      '    - d',
      '    - e',
      '    - and 1 more, with --json',
    ])
  })

  it('law: lines are of 80 characters at the most unless a word is longer, and no word is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 90 })), fc.nat({ max: 8 }), (words, indent) => {
        const text = words.join(' ')
        const lines = wrap(text, indent)
        assert.deepEqual(lines.join(' ').split(/\s+/).filter(Boolean), text.split(/\s+/).filter(Boolean))
        for (const line of lines) assert.ok(Array.from(line).length <= 80 || !line.trim().includes(' '))
      }),
    )
  })
})
