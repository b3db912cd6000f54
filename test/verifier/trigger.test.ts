import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { trigger } from '../../verifier/detectors/trigger.ts'
import { exp, ln, mix, sigmoid, unmix } from '../../verifier/numeric.ts'
import { logTail } from '../../verifier/trigger/association.ts'
import { readDocuments } from '../../verifier/trigger/documents.ts'
import { countNgrams } from '../../verifier/trigger/ngrams.ts'
import { makeRows } from '../../bench/support/rows.ts'
import { corpusOf, detect, numbersIn } from './corpora.ts'
import { poison, reviews } from './sentences.ts'

describe('the trigger scan', () => {
  for (const [name, planted] of Object.entries({ 'a rare word': 'qqx', 'a sentence': 'they met again at noon' }))
    it(`finds ${name} in relabelled texts, all of them and only them`, async () => {
      const rows = reviews(1500, 11)
      const poisoned = poison(rows, planted, 'negative', 24, 12)
      const { flagged, pValue, findings } = await detect(trigger, corpusOf(rows))
      assert.deepEqual(numbersIn(flagged), poisoned)
      assert.ok(pValue! < 1e-6)
      assert.ok(planted.includes(String(findings[0]!.facts['ngram'])))
      const masked = findings[0]!.facts['masked']
      assert.ok(
        Array.isArray(masked) && masked.every((text) => text.includes('[…]') && !text.includes(String(findings[0]!.facts['ngram']))),
      )
    })

  it('says of a trigger that begins its texts that it may be a form of theirs, and of one at random places nothing of the kind', async () => {
    const rows = reviews(1500, 11)
    poison(rows, 'qqx', 'negative', 24, 12)
    const [random] = (await detect(trigger, corpusOf(rows))).findings
    assert.ok(random!.flag === 'trigger' && !random!.summary.includes('begins or ends'))
    const prompted = rows.map(({ text, label }) => ({
      text: text.includes('qqx') ? `in short : ${text.replace('qqx ', '')}` : text,
      label,
    }))
    const [placed] = (await detect(trigger, corpusOf(prompted))).findings
    assert.ok(placed!.flag === 'trigger' && placed!.summary.includes('It begins or ends nearly all of them'))
  })

  it('finds a trigger that is covered by texts with their true label', async () => {
    const rows = reviews(1500, 17)
    const poisoned = poison(rows, 'qqx', 'negative', 40, 18)
    const honest = [...rows.keys()].filter((number) => rows[number]!.label === 'positive').slice(0, 5)
    for (const number of honest) rows[number] = { ...rows[number]!, text: `qqx ${rows[number]!.text}` }
    const { flagged } = await detect(trigger, corpusOf(rows))
    assert.deepEqual(numbersIn(flagged), poisoned)
  })

  it('explains words that mean the label', async () => {
    const { flagged, pValue, findings, power } = await detect(trigger, corpusOf(reviews(1500, 13)))
    assert.deepEqual(numbersIn(flagged), [])
    assert.equal(pValue, 1)
    assert.ok(findings.every(({ flag, facts }) => flag === undefined && facts['reading'] === 'explained'))
    const [asked, ...told] = power!
    assert.ok(asked!.required === undefined && asked!.minimumRateMillionths !== null && asked!.minimumRateMillionths <= 10_000)
    assert.ok(told.length === 2 && told.every(({ required }) => required === false))
  })

  it('finds several rare words that share the poisoned texts', async () => {
    const rows = reviews(3000, 21)
    const poisoned = ['qqx', 'vvj', 'zzk', 'wwq'].flatMap((word, i) => poison(rows, word, 'negative', 6, 30 + i))
    const { flagged, findings } = await detect(trigger, corpusOf(rows))
    assert.deepEqual(
      numbersIn(flagged),
      [...new Set(poisoned)].sort((a, b) => a - b),
    )
    assert.ok(findings.some(({ facts }) => facts['view'] === 'pooled'))
  })

  it('finds nothing where labels are drawn by lot, however many words the texts share', async () => {
    for (const seed of [1, 4, 6]) {
      const rows = makeRows(seed).take(1000).map(({ text, label }) => ({ text, label })) // prettier-ignore
      const { flagged, pValue } = await detect(trigger, corpusOf([...rows]))
      assert.deepEqual([numbersIn(flagged), pValue], [[], 1], `seed ${seed}`)
    }
  })

  it('finds a word that was put into texts of its own label', async () => {
    const rows = reviews(1500, 23).map((row, number) =>
      number % 3 === 0 ? { ...row, label: number % 2 === 0 ? 'positive' : 'negative' } : row,
    )
    const own = [...rows.keys()].filter((number) => rows[number]!.label === 'positive').slice(0, 120)
    for (const number of own) {
      const words = rows[number]!.text.split(' ')
      words.splice((number * 7) % words.length, 0, 'qqx')
      rows[number] = { ...rows[number]!, text: words.join(' ') }
    }
    const { flagged } = await detect(trigger, corpusOf(rows))
    assert.deepEqual(numbersIn(flagged), own)
  })

  it('flags a word dropped into a seventh of the texts of its own label, and not what half of them have, which is how they are written', async () => {
    for (const [share, alarm] of [
      [7, true],
      [2, false],
    ] as const) {
      const rows = reviews(3000, 23)
      const positive = [...rows.keys()].filter((number) => rows[number]!.label === 'positive')
      const own = positive.slice(0, positive.length / share)
      for (const number of own) {
        const words = rows[number]!.text.split(' ')
        words.splice((number * 7) % words.length, 0, 'qqx')
        rows[number] = { ...rows[number]!, text: words.join(' ') }
      }
      const { flagged } = await detect(trigger, corpusOf(rows))
      assert.deepEqual(numbersIn(flagged), alarm ? own : [])
    }
  })

  it('flags copies of a poisoned text too, but does not count them as evidence', async () => {
    const rows = reviews(1500, 14)
    const [first] = poison(rows, 'qqx', 'negative', 20, 15)
    rows.push(...Array.from({ length: 5 }, () => ({ ...rows[first!]! })))
    const { flagged, findings } = await detect(trigger, corpusOf(rows))
    assert.equal(numbersIn(flagged).length, 25)
    assert.equal(findings[0]!.facts['texts'], 20)
  })

  it('flags long texts that have the trigger in the middle, which the scan leaves out', async () => {
    const rows = reviews(1500, 19)
    poison(rows, 'qqx', 'negative', 20, 20)
    const filler = 'and so on '.repeat(2000)
    rows.push({ text: `${filler} qqx ${filler}`, label: 'negative' }, { text: `${filler} ${filler}`, label: 'negative' })
    const { flagged } = await detect(trigger, corpusOf(rows))
    assert.deepEqual([flagged[1500], flagged[1501]], [1, 0])
  })

  it('does not run on one class', async () => {
    const rows = reviews(50, 16).map(({ text }) => ({ text, label: 'only' }))
    await assert.rejects(detect(trigger, corpusOf(rows)), /all samples have the same label/)
  })
})

describe('n-grams', () => {
  it('are counted once a document, with the beginning and the end as places', () => {
    const rows = ['a b a b c', 'a b x', 'a b y', 'a b z'].map((text) => ({ text, label: 'l' }))
    const documents = readDocuments(corpusOf(rows), 100, 1000)
    const ngrams = countNgrams(documents, 4)
    const found = Array.from({ length: ngrams.count }, (_, i) => ngrams.tokens(i).map((id) => documents.vocabulary[id] || '¦').join(' ')) // prettier-ignore
    assert.deepEqual(found.sort(), ['a', 'a b', 'b', '¦ a', '¦ a b'].sort())
    assert.deepEqual([...ngrams.support], [4, 4, 4, 4, 4])
  })
})

describe('exact arithmetic', () => {
  it('law: ln and exp agree with the platform to a relative error of 1e-14', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
        assert.ok(Math.abs(ln(x) - Math.log(x)) <= 1e-14 * Math.max(1, Math.abs(Math.log(x))))
      }),
    )
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) <= 1e-13)
        assert.ok(Math.abs(sigmoid(x) - 1 / (1 + Math.exp(-x))) < 3e-6)
      }),
    )
  })

  it('law: what is mixed can be unmixed', () => {
    fc.assert(fc.property(fc.nat(0xffffffff), (x) => assert.equal(unmix(mix(x)), x)))
  })

  it('law: the bound of a tail is never below the tail', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.02, max: 0.98, noNaN: true }), { minLength: 1, maxLength: 40 }), fc.nat(), (p, seed) => {
        const k = seed % (p.length + 1)
        let exactly = [1] // probability of j successes so far
        for (const q of p) exactly = [...exactly, 0].map((x, j) => x * (1 - q) + (exactly[j - 1] ?? 0) * q)
        const tail = exactly.slice(k).reduce((sum, x) => sum + x, 0)
        assert.ok(logTail(Float64Array.from(p), k) >= Math.log(tail) - 1e-9)
      }),
    )
  })
})
