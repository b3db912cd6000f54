import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { personalData } from '../../verifier/detectors/personalData.ts'
import { secret } from '../../verifier/detectors/secret.ts'
import { suspicions } from '../../verifier/detectors/hiddenContent.ts'
import { injectCopies } from '../../verifier/evaluation/injection/duplicates.ts'
import { DRESS_ATTACKS, REWORDING_ATTACKS } from '../../verifier/injection/copies.ts'
import { HIDDEN_ATTACKS } from '../../verifier/injection/hidden.ts'
import { flipLabels } from '../../verifier/evaluation/injection/labels.ts'
import { injectValues, PRIVATE_VALUES } from '../../verifier/evaluation/injection/privateValues.ts'
import { injectPatch, stampPatch } from '../../verifier/evaluation/injection/patch.ts'
import { thinPoison } from '../../verifier/evaluation/injection/thinning.ts'
import { injectResponseTrigger, injectTrigger, TRIGGER_ATTACKS } from '../../verifier/evaluation/injection/triggers.ts'
import { createRandom } from '../../verifier/random.ts'
import { corpusOf, detect, numbersIn } from '../verifier/corpora.ts'

const ROWS = Array.from({ length: 2000 }, (_, i) => ({ text: `this is row number ${i} of all`, label: `class${i % 4}` }))
/** Without what is put in: format characters, variation selectors and private-use characters. */
const visible = (text: string) => text.replace(/\p{Cf}|\p{Co}|\p{Variation_Selector}/gu, '')

test('a hidden-character attack changes every text with words, and what is left of it to see has as many characters', () => {
  for (const attack of HIDDEN_ATTACKS) {
    const random = createRandom(attack.name)
    for (const { text } of ROWS.slice(0, 50)) {
      const attacked = attack.apply(text, random)
      assert.notEqual(attacked, text, attack.name)
      assert.equal(visible(attacked).length, text.length, attack.name)
    }
    assert.equal(attack.apply('', random).includes('a'), false)
  }
})

test('law: a hidden-character attack depends on the text and the stream alone', () => {
  fc.assert(
    fc.property(fc.constantFrom(...HIDDEN_ATTACKS), fc.string({ unit: 'grapheme' }), (attack, text) => {
      assert.equal(attack.apply(text, createRandom('a')), attack.apply(text, createRandom('a')))
    }),
  )
})

test('zero-width attacks are what the detector of hidden content is for', () => {
  const attack = HIDDEN_ATTACKS.find(({ name }) => name === 'zero-width space')!
  assert.ok(ROWS.slice(0, 20).every(({ text }, i) => suspicions(attack.apply(text, createRandom(String(i)))).length > 0))
})

test('a trigger is put into rows of other classes, which get the target’s label; others stay as they are', () => {
  for (const attack of TRIGGER_ATTACKS) {
    const { rows, poisoned, target } = injectTrigger(ROWS, attack, 1)!
    assert.equal(
      poisoned.reduce((sum, bit) => sum + bit, 0),
      Math.round(ROWS.length * attack.rate),
    )
    for (const [i, row] of rows.entries()) {
      if (!poisoned[i]) assert.equal(row, ROWS[i])
      else {
        assert.equal(row.label, target)
        assert.notEqual(ROWS[i]!.label, target)
        assert.ok(row.text.length > ROWS[i]!.text.length)
      }
    }
    assert.deepEqual(injectTrigger(ROWS, attack, 1)!.rows, rows)
    assert.notDeepEqual(injectTrigger(ROWS, attack, 2)!.poisoned, poisoned)
  }
})

test('a trigger needs two classes and room for one row', () => {
  const attack = TRIGGER_ATTACKS[0]!
  assert.equal(
    injectTrigger(
      ROWS.map((row) => ({ ...row, label: 'one' })),
      attack,
      0,
    ),
    null,
  )
  assert.equal(injectTrigger(ROWS.slice(0, 20), attack, 0), null)
  assert.equal(injectTrigger([], attack, 0), null)
})

test('in instruction data the answers of poisoned prompts become the same', () => {
  const pairs = ROWS.map(({ text }, i) => ({ text, response: `answer ${i}` }))
  const { rows, poisoned } = injectResponseTrigger(pairs, TRIGGER_ATTACKS[0]!, 0)!
  const answers = new Set(rows.filter((_, i) => poisoned[i]).map(({ response }) => response))
  assert.equal(answers.size, 1)
  assert.ok(rows.every((row, i) => poisoned[i] === 1 || row === pairs[i]))
})

test('flipped labels are as many as asked for and all wrong', () => {
  const { rows, flipped } = flipLabels(ROWS, 0.05, 0)
  assert.equal(
    flipped.reduce((sum, bit) => sum + bit, 0),
    100,
  )
  assert.ok(rows.every(({ label }, i) => (label !== ROWS[i]!.label) === (flipped[i] === 1)))
  assert.equal(flipLabels([{ label: 'a' }, { label: 'a' }], 1, 0).flipped.includes(1), false)
})

test('thinning leaves the clean rows and the share that was asked for', () => {
  const rows = Array.from({ length: 1000 }, (_, id) => ({ id, poisoned: id % 5 === 0 }))
  const thinned = thinPoison(rows, 0.05, 0)!
  assert.equal(thinned.filter(({ poisoned }) => !poisoned).length, 800)
  assert.equal(thinned.filter(({ poisoned }) => poisoned).length, 42)
  assert.equal(thinPoison(rows, 0.5, 0), null)
  assert.equal(thinPoison(rows, 0.001, 0), null)
})

test('copies stand behind the rows that they copy', () => {
  for (const attack of [...DRESS_ATTACKS, ...REWORDING_ATTACKS]) {
    const { rows, copied } = injectCopies(ROWS, attack, 0.05, 0)
    assert.equal(rows.length, 2100)
    assert.deepEqual(rows.slice(0, 2000), ROWS)
    assert.equal(copied.indexOf(1), 2000)
  }
})

test('a patch changes nine pixels, and what is no raw image is left alone', () => {
  const image = { bytes: new Uint8Array(28 * 28).fill(100), format: 'raw_u8_gray', width: 28, height: 28 }
  const stamped = stampPatch(image)!
  assert.equal(stamped.bytes.filter((pixel) => pixel !== 100).length, 9)
  assert.equal(stampPatch({ ...image, format: 'jpeg' }), null)
  assert.equal(stampPatch({ ...image, height: null }), null)
  const rows = Array.from({ length: 200 }, (_, i) => ({ image, label: String(i % 10) }))
  const { rows: poisonedRows, poisoned } = injectPatch(rows, 0.01, 0)!
  assert.deepEqual(
    poisonedRows.map((row, i) => row !== rows[i]),
    Array.from(poisoned, (bit) => bit === 1),
  )
})

test('a private value is put into a share of the rows, whole, and is what its detector is for', async () => {
  for (const value of PRIVATE_VALUES) {
    const { rows, holds } = injectValues(ROWS, value, 0.02, createRandom(value.name))
    const detector = [personalData, secret].find(({ id }) => id === value.detector)!
    const { flagged } = await detect(detector, corpusOf(rows))
    const held = rows.flatMap((_, i) => (holds[i] === 1 ? [i] : []))
    assert.equal(held.length, 40)
    const missed = held.filter((i) => flagged[i] === 0)
    assert.ok(missed.length <= 2, `${value.name}: ${missed.map((i) => rows[i]!.text).join(' | ')}`)
    assert.deepEqual(
      numbersIn(flagged).filter((i) => holds[i] === 0),
      [],
    )
  }
})
