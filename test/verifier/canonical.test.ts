import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { canonicalText } from '../../verifier/text/canonical.ts'
import { tokens } from '../../verifier/text/tokens.ts'

describe('canonical text', () => {
  it('leaves plain text as it is', () => {
    for (const text of ['', 'plain', 'Two words.', 'Straße über Zürich', 'война и мир', 'مرحبا بالعالم', '日本語のテキスト'])
      assert.equal(canonicalText(text), text)
  })

  it('removes what cannot be seen', () => {
    assert.equal(canonicalText('pass\u200bword'), 'password')
    assert.equal(canonicalText('a\u{e0041}\u{e0042}b\ufeff\u202ec'), 'abc')
  })

  it('writes look-alike letters in a Latin word in Latin', () => {
    assert.equal(canonicalText('pаypаl'), 'paypal') // two Cyrillic letters
    assert.equal(canonicalText('ＦＵＬＬ ｗｉｄｔｈ'), 'FULL width')
  })

  it('leaves two languages side by side alone', () => {
    assert.equal(canonicalText('the word мир means peace'), 'the word мир means peace')
    assert.equal(canonicalText('Δx is 5 μm'.normalize('NFKC')), 'Δx is 5 μm'.normalize('NFKC'))
  })

  it('makes each run of white space one space', () => {
    assert.equal(canonicalText(' a\r\n\t b\u00a0\u2003c '), 'a b c')
  })

  it('law: what is canonical stays as it is', () => {
    const letters = fc.constantFrom(...Array.from('abcOо\u0430\u03bf\u200b\u00ad\u0301 \t\ufeff日本\u{1f600}\ufe0f\u{e0041}éｆ'))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: letters }), fc.string({ unit: 'grapheme' })), (text) => {
        const once = canonicalText(text)
        assert.equal(canonicalText(once), once)
      }),
    )
  })
})

describe('tokens', () => {
  it('are words, single marks and single ideographs', () => {
    assert.deepEqual(tokens("Don't stop: naïve 日本 (2nd)"), ["Don't", 'stop', ':', 'naïve', '日', '本', '(', '2nd', ')'])
  })

  it('law: joined, they are the text without its white space', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(tokens(text).join(''), text.replace(/[\s\u0085]/g, ''))
      }),
    )
  })
})
