import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Power } from '../../core/documents/report.ts'
import { createCorpus } from '../../verifier/corpus.ts'
import { contaminationNgram } from '../../verifier/detectors/contaminationNgram.ts'
import type { Corpus, Detector } from '../../verifier/detectors/detector.ts'
import { exactDuplicate } from '../../verifier/detectors/exactDuplicate.ts'
import { hiddenContent } from '../../verifier/detectors/hiddenContent.ts'
import { imageDuplicate } from '../../verifier/detectors/imageDuplicate.ts'
import { nearDuplicate } from '../../verifier/detectors/nearDuplicate.ts'
import { createImageTable, putImage } from '../../verifier/images/imageTable.ts'
import { createThumbnail } from '../../verifier/images/thumbnail.ts'
import { drawTexts, powerOfRows, powerRandom } from '../../verifier/power.ts'
import { createRandom } from '../../verifier/random.ts'
import { corpusOf, detect } from './corpora.ts'
import { reviews } from './sentences.ts'

function textsOf(texts: readonly (string | null)[]): Corpus {
  return corpusOf(texts.map((text) => ({ text })))
}

/** The rates that a detector states, by the attack; in millionths. */
async function ratesOf(detector: Detector, corpus: Corpus): Promise<Map<string, number | null>> {
  return ratesIn((await detect(detector, corpus)).power!)
}

function ratesIn(power: readonly Power[]): Map<string, number | null> {
  return new Map(power.map(({ attack, minimumRateMillionths }) => [attack, minimumRateMillionths]))
}

const LONG = Array.from({ length: 400 }, (_, row) => Array.from({ length: 120 }, (_unused, i) => `w${row}x${i}`).join(' '))

describe('power of detectors of single rows', () => {
  it('is one row where every row is found, and more where few are', () => {
    const attack = { name: 'an attack' }
    assert.equal(powerOfRows(attack, { injected: 100, found: 95 }, 2000).minimumRateMillionths, 500)
    // 0.5^5 is the first power of a half below 5 %.
    assert.equal(powerOfRows(attack, { injected: 100, found: 50 }, 1000).minimumRateMillionths, 5000)
    assert.equal(powerOfRows(attack, { injected: 100, found: 0 }, 1000).minimumRateMillionths, null)
    assert.equal(powerOfRows(attack, { injected: 100, found: 1 }, 100).minimumRateMillionths, null)
  })

  it('law: so many rows are missed altogether with a chance below 5 %, and one row less is not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1, max: 100_000 }),
        (injected, hits, count) => {
          const found = Math.min(hits, injected)
          const { minimumRateMillionths: rate } = powerOfRows({ name: 'a' }, { injected, found }, count)
          const missed = 1 - found / injected
          if (rate === null) return assert.ok(missed ** count > 0.0499)
          const rows = Math.round((rate * count) / 1_000_000)
          assert.ok(missed ** rows <= 0.0501)
          assert.ok(rows === 1 || missed ** (rows - 1) > 0.0499)
        },
      ),
    )
  })

  it('is said not to have been measured where an attack has no place', () => {
    const { minimumRateMillionths, required, note } = powerOfRows({ name: 'a' }, { injected: 0, found: 0 }, 1000)
    assert.deepEqual([minimumRateMillionths, required], [null, false])
    assert.match(note!, /no sample/)
  })

  it('law: draws are of rows with a text, none twice, within the limits, and the same by the same seed', () => {
    const texts = fc.array(fc.option(fc.string({ maxLength: 20 })), { maxLength: 60 })
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 100 }), (all, rows, characters) => {
        const draw = () => drawTexts(all.length, (i) => all[i]!, { random: createRandom('draw'), rows, characters })
        const drawn = draw()
        assert.deepEqual(draw(), drawn)
        assert.ok(drawn.length <= rows && new Set(drawn).size === drawn.length && drawn.every((i) => all[i] !== null))
        assert.ok(drawn.slice(0, -1).reduce((sum, i) => sum + all[i]!.length, 0) < characters)
        if (all.some((text) => text !== null)) assert.ok(drawn.length > 0)
      }),
    )
  })

  it('looks random by the samples alone', () => {
    const [a, b] = [textsOf(['one']), textsOf(['two'])]
    assert.equal(powerRandom(a, 'x').below(1e9), powerRandom(a, 'x').below(1e9))
    assert.notEqual(powerRandom(a, 'x').below(1e9), powerRandom(a, 'y').below(1e9))
    assert.notEqual(powerRandom(a, 'x').below(1e9), powerRandom({ seed: b.seed.map((byte) => byte ^ 1) }, 'x').below(1e9))
  })
})

describe('what would have been found', () => {
  it('of hidden characters is every kind from one row on, but for what is seen', async () => {
    const rates = await ratesOf(hiddenContent, corpusOf(reviews(500, 1)))
    assert.equal(rates.size, 11)
    for (const [attack, rate] of rates) assert.equal(rate, attack.endsWith('private-use characters') ? null : 2000, attack)
  })

  it('of hidden characters leaves out attacks that have no place in a script, and says so', async () => {
    const { power } = await detect(hiddenContent, textsOf(['これは普通の文です。', 'もう一つの文です。']))
    const lookAlikes = power!.filter(({ attack }) => attack.includes('look-alike'))
    assert.equal(lookAlikes.length, 3)
    for (const { minimumRateMillionths, required, note } of lookAlikes) {
      assert.deepEqual([minimumRateMillionths, required], [null, false])
      assert.match(note!, /no sample/)
    }
    assert.equal(ratesIn(power!).get('hidden characters: tag characters'), 500_000)
  })

  it('of direction overrides is nothing in right-to-left text, which is a doubt', async () => {
    const { power } = await detect(hiddenContent, textsOf(['זה משפט רגיל', 'ועוד אחד']))
    const override = power!.find(({ attack }) => attack.endsWith('direction override'))!
    assert.deepEqual([override.minimumRateMillionths, override.required, override.injectedSamples], [null, undefined, 2])
  })

  it('of copies is each of them where texts are long, and those that a label tells where they are short', async () => {
    for (const rate of (await ratesOf(exactDuplicate, textsOf(LONG))).values()) assert.equal(rate, 2500)
    const short = ['yes', 'no', 'maybe', 'perhaps'].map((text) => ({ text }))
    const unlabelled = await ratesOf(exactDuplicate, corpusOf(short))
    assert.deepEqual([...unlabelled.values()], [250_000, null, null])
    const labelled = await ratesOf(exactDuplicate, corpusOf(short.map((row) => ({ ...row, label: 'a' }))))
    assert.deepEqual([...labelled.values()], [250_000, 250_000, 250_000])
  })

  it('of rows without texts is their copy alone', async () => {
    const { power } = await detect(exactDuplicate, corpusOf([{ label: 'a' }, { label: 'b' }]))
    assert.deepEqual(
      power!.map(({ minimumRateMillionths, injectedSamples }) => [minimumRateMillionths, injectedSamples]),
      [[500_000, 2], [null, undefined], [null, undefined]], // prettier-ignore
    )
  })

  it('of copies with words changed gets less as more are changed, and is nothing of short texts', async () => {
    const { power } = await detect(nearDuplicate, textsOf(LONG))
    const found = power!.map(({ foundSamples, injectedSamples }) => foundSamples! / injectedSamples!)
    assert.equal(found[0], 1)
    assert.ok(found[0]! >= found[1]! && found[1]! >= found[2]!)
    assert.equal(found[2], 0)
    const short = textsOf(['only five words stand here', 'and six words are in this'])
    for (const [attack, rate] of await ratesOf(nearDuplicate, short)) assert.equal(rate, null, attack)
    assert.ok(power!.every(({ required }) => required === false))
  })

  it('of benchmark items is each of them word by word, and fewer as more words are changed', async () => {
    const benchmarks = [{ name: 'exam', corpus: textsOf(LONG.slice(0, 50).map((text) => text.replaceAll('w', 'item'))) }]
    const { parameters } = contaminationNgram
    const signal = new AbortController().signal
    const result = await contaminationNgram.run({ corpus: textsOf(LONG), benchmarks, parameters, signal, onProgress: () => {} })
    assert.ok(result.ran)
    assert.equal(ratesIn(result.power!).get('benchmark items: word by word'), 2500)
    const found = result.power!.flatMap(({ foundSamples }) => foundSamples ?? [])
    assert.deepEqual(
      found,
      found.toSorted((a, b) => b - a),
    )
    assert.ok(found[0] === 50 && found[3]! < found[0])
    assert.match(result.power!.at(-1)!.note!, /no paraphrase can be made/)
  })

  it('of copies of images is each of them, brighter or with grain', async () => {
    const count = 12
    const table = createImageTable(count)
    for (let sample = 0; sample < count; sample++) {
      const random = createRandom(`image ${sample}`)
      const blocks = Array.from({ length: 64 * 3 }, () => random.below(256))
      const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => {
        const [x, y] = [(Math.floor(i / 3) % 64) >> 3, Math.floor(i / 3 / 64) >> 3]
        return blocks[(y * 8 + x) * 3 + (i % 3)]!
      })
      putImage(table, sample, createThumbnail({ width: 64, height: 64, data }))
    }
    const nothing = Array.from({ length: count }, () => null)
    const corpus = createCorpus({
      texts: nothing,
      labels: nothing,
      images: table,
      digests: new Uint8Array(32 * count),
      language: null,
      domain: null,
      seed: new Uint8Array(32).fill(7),
    })
    const { power, flagged } = await detect(imageDuplicate, corpus)
    assert.ok(!flagged.includes(1))
    assert.deepEqual([...ratesIn(power!).values()], [83_334, 83_334, 83_334, null])
    assert.equal(power!.at(-1)!.required, false)
  })

  it('costs no more for rows of a million characters', async () => {
    const { power } = await detect(hiddenContent, textsOf(Array.from({ length: 20 }, (_, i) => `row ${i} `.repeat(120_000))))
    assert.ok(power!.every(({ injectedSamples = 1 }) => injectedSamples === 1))
  })

  it('is the same twice', async () => {
    const corpus = corpusOf(reviews(200, 3))
    for (const detector of [hiddenContent, exactDuplicate, nearDuplicate])
      assert.deepEqual((await detect(detector, corpus)).power, (await detect(detector, corpus)).power)
  })
})
