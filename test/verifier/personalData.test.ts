/** Every number here is made up, or the published example of its issuer. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { personalData } from '../../verifier/detectors/personalData.ts'
import { secret } from '../../verifier/detectors/secret.ts'
import { luhn } from '../../verifier/personalData/checkDigits.ts'
import { findPersonalData } from '../../verifier/personalData/findPersonalData.ts'
import { findSecrets } from '../../verifier/personalData/findSecrets.ts'
import { masked } from '../../verifier/personalData/match.ts'
import { phoneCountries } from '../../verifier/personalData/phones.ts'
import { TOKEN_RULES } from '../../verifier/personalData/secretRules.ts'
import { corpusOf, detect, numbersIn } from './corpora.ts'

const options = { column: 'text', countries: phoneCountries('en'), phoneLookups: 64 }
const seen = (text: string, column = 'text') =>
  findPersonalData(text, { ...options, column }).map(({ kind, start, end }) => [kind, text.slice(start, end)])

describe('personal data', () => {
  const held: [text: string, kind: string, value: string][] = [
    ['write to jane.doe+x@mail.co.uk, please', 'email', 'jane.doe+x@mail.co.uk'],
    ['<mailto:o_brien@sub.example.org>', 'email', 'o_brien@sub.example.org'],
    ['my card 4111 1111 1111 1111 exp 12/27', 'payment_card', '4111 1111 1111 1111'],
    ['visa 4242424242424242.', 'payment_card', '4242424242424242'],
    ['amex 3782 822463 10005', 'payment_card', '3782 822463 10005'],
    ['5555-5555-5555-4444', 'payment_card', '5555-5555-5555-4444'],
    ['IBAN DE89 3704 0044 0532 0130 00 thanks', 'iban', 'DE89 3704 0044 0532 0130 00'],
    ['GB82WEST12345698765432', 'iban', 'GB82WEST12345698765432'],
    ['call (212) 555-0123', 'phone', '(212) 555-0123'],
    ['or 212-736-5000', 'phone', '212-736-5000'],
    ['+44 20 7946 0958', 'phone', '+44 20 7946 0958'],
    ['tel. 020 7946 0958', 'phone', '020 7946 0958'],
    ['ssn 123-45-6789', 'national_id', '123-45-6789'],
    ['CPF 390.533.447-05', 'national_id', '390.533.447-05'],
    ['DNI 12345678Z', 'national_id', '12345678Z'],
    ['X-5253868-R', 'national_id', 'X-5253868-R'],
    ['AB 12 34 56 C', 'national_id', 'AB 12 34 56 C'],
    ['131052-308T', 'national_id', '131052-308T'],
    ['880320-0016', 'national_id', '880320-0016'],
    ['11010519491231002X', 'national_id', '11010519491231002X'],
    ['971013-9019902', 'national_id', '971013-9019902'],
    ['756.9217.0769.85', 'national_id', '756.9217.0769.85'],
    ['85.07.30-033.28', 'national_id', '85.07.30-033.28'],
    ['253072B07300470', 'national_id', '253072B07300470'],
    ['RCCMNL83S18D969H', 'national_id', 'RCCMNL83S18D969H'],
    ['Aadhaar 2341 2341 2346', 'national_id', '2341 2341 2346'],
    ['Steuer-ID 36574261809', 'national_id', '36574261809'],
    ['BSN 111222333', 'national_id', '111222333'],
    ['social insurance 123-456-782', 'national_id', '123-456-782'],
    ['PESEL 44051401359', 'national_id', '44051401359'],
    ['fødselsnummer 151086 95088', 'national_id', '151086 95088'],
    ['seen from 93.184.216.34 today', 'ip_address', '93.184.216.34'],
    ['2001:db8:85a3::8a2e:370:7334', 'ip_address', '2001:db8:85a3::8a2e:370:7334'],
  ]
  for (const [text, kind, value] of held) it(`is in "${text}"`, () => assert.deepEqual(seen(text), [[kind, value]]))

  const clean = [
    'In 2024-01-15 12:30:45 we sold 1,234,567.89 of 3.14159265358979.',
    'ISBN 978-3-16-148410-0, DOI 10.1000/182, order 1234567890123456',
    'version 1.2.3.4 at 192.168.1.1 or 10.0.0.1, section 4.3.2.1',
    'logo@2x.png, @handle, user@localhost and a @ b',
    'card 4111 1111 1111 1112',
    'DE89 3704 0044 0532 0130 01',
    'ssn 000-12-3456 or 666-12-3456',
    'the number 111222333 says nothing by itself, nor does 2341 2341 2346',
    '0000 0000 0000 0000 and 1111-1111-1111-1111',
    '1 2 3 4 5 6 7 8 9 10 11 12',
    'a hash 5d41402abc4b2a76b9719d911017c592 and std::vector<int>',
    'https://shop.test/item/4111111111111111',
    '',
  ]
  for (const text of clean) it(`is not in "${text}"`, () => assert.deepEqual(seen(text), []))

  it('is told by the name of the column', () => {
    assert.deepEqual(seen('111222333', 'bsn'), [['national_id', '111222333']])
    assert.deepEqual(seen('2127365000', 'customer_phone'), [['phone', '2127365000']])
    assert.deepEqual(seen('2127365000', 'order'), [])
  })

  it('is counted and flagged, and its values are shown with their middle left out', async () => {
    const texts = ['nothing', 'a@b.org and carol.jones@mail.example', null, '4111 1111 1111 1111']
    const { flagged, scores, findings, pValue } = await detect(personalData, corpusOf(texts.map((text) => ({ text }))))
    assert.deepEqual(numbersIn(flagged), [1, 3])
    assert.deepEqual([...scores.values], [0, 2, 0, 1])
    assert.deepEqual([...scores.valid], [1, 1, 0, 1])
    assert.equal(pValue, undefined)
    assert.deepEqual(
      findings.map(({ summary }) => summary),
      ['1 sample holds e-mail addresses (2 in all).', '1 sample holds payment card numbers (1 in all).'],
    )
    const shown = JSON.stringify(findings)
    for (const value of ['a@b.org', 'carol.jones@mail.example', '4111 1111', '1111 1111']) assert.ok(!shown.includes(value), value)
  })

  it('goes by the versions of the libraries that its recipe names', async () => {
    const versions = await Promise.all(
      ['libphonenumber-js', 'stdnum'].map(async (name) => {
        const text = await readFile(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')
        return `${name} ${(JSON.parse(text) as { version: string }).version}`
      }),
    )
    assert.deepEqual(personalData.parameters['rules'], versions)
  })
})

/** Characters of a length, without a pattern. */
function random(length: number, alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'): string {
  let state = length + alphabet.length
  return Array.from(
    { length },
    () => alphabet[((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 8) % alphabet.length],
  ).join('')
}

describe('a secret', () => {
  const hex = '0123456789abcdef'
  const held: [text: string, kind: string, detail: string][] = [
    [`key=AKIA${random(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`, 'api_key', 'aws-access-token'],
    [`aws_secret_access_key = ${random(12)}/${random(14)}+${random(12)}`, 'api_key', 'named value'],
    [`token ghp_${random(36)}.`, 'api_key', 'github-token'],
    [`github_pat_${random(82)}`, 'api_key', 'github-fine-grained-pat'],
    [`xoxb-123456789012-1234567890123-${random(24)}`, 'api_key', 'slack-token'],
    [`https://maps.test/api?key=AIza${random(35)}&x=1`, 'api_key', 'gcp-api-key'],
    [`sk_live_${random(24)}`, 'api_key', 'stripe-access-token'],
    [`"sk-proj-${random(120)}"`, 'api_key', 'openai-api-key'],
    [`sk-${random(20)}T3BlbkFJ${random(20)}`, 'api_key', 'openai-api-key'],
    [`sk-ant-api03-${random(95)}`, 'api_key', 'anthropic-api-key'],
    [`hf_${random(34)}`, 'api_key', 'huggingface-access-token'],
    [`npm_${random(36)}`, 'api_key', 'npm-access-token'],
    [`SG.${random(22)}.${random(43)}`, 'api_key', 'sendgrid-api-token'],
    [`110201543:AA${random(33)}`, 'api_key', 'telegram-bot-api-token'],
    [`api_key: "${random(32)}"`, 'api_key', 'named value'],
    [`dop_v1_${random(64, hex)}`, 'api_key', 'digitalocean-token'],
    [`Bearer eyJ${random(30)}.eyJ${random(40)}.${random(43)}`, 'signed_token', 'jwt'],
    [`-----BEGIN RSA PRIVATE KEY----- ${random(64)} ${random(64)} -----END RSA PRIVATE KEY-----`, 'private_key', 'rsa private key'],
    [`-----BEGIN PRIVATE KEY-----\n${random(64)}\n`, 'private_key', 'private key'],
  ]
  for (const [text, kind, detail] of held)
    it(`is in "${text.slice(0, 40)}"`, () =>
      assert.deepEqual(
        findSecrets(text).map((match) => [match.kind, match.detail]),
        [[kind, detail]],
      ))

  it('is a password in an address, the password alone', () => {
    const text = 'postgres://admin:tr0ub4dor@db.test:5432/x'
    const [match] = findSecrets(text)
    assert.equal(text.slice(match?.start, match?.end), 'tr0ub4dor')
  })

  const clean = [
    'AKIAAAAAAAAAAAAAAAAA',
    'sk-learn-contrib-long-name-here',
    'postgres://user:password@host and https://a.test/b:c@d',
    'internationalization-of-everything',
    '-----BEGIN PUBLIC KEY----- ' + random(64),
    'the PRIVATE KEY is safe, see -----BEGIN PRIVATE KEY-----',
    'api_key = os.environ["THE_NAME_OF_THE_VARIABLE"]',
    `commit ${random(40, hex)}, sha256:${random(64, hex)}`,
    `https://cdn.test/a/${random(40)}.js`,
  ]
  for (const text of clean) it(`is not in "${text.slice(0, 50)}"`, () => assert.deepEqual(findSecrets(text), []))

  it('of each rule is found by its prefix', () => {
    for (const { prefix, id } of TOKEN_RULES) assert.ok(prefix.length >= 2 && id.length > 0)
  })

  it('is counted, flagged and never shown', async () => {
    const key = `ghp_${random(36)}`
    const { flagged, findings } = await detect(secret, corpusOf([{ text: 'no' }, { text: `use ${key} today` }]))
    assert.deepEqual(numbersIn(flagged), [1])
    assert.match(findings[0]!.summary, /^1 sample holds keys of services/)
    assert.ok(!JSON.stringify(findings).includes(key.slice(4, 20)))
  })
})

describe('what is found', () => {
  const hostile = [
    '1',
    '1 ',
    '1-',
    'a@',
    '@a.',
    '+1 ',
    '1.1.1.',
    'AA11 ',
    'eyJ-',
    'eyJabcdefghijklmnop.',
    '://a:',
    '-----BEGIN PRIVATE KEY-----',
    'call 2',
    '2001:',
    'key=/',
    'X1',
  ]

  it('law: lies in the text, in order and without overlap, in whatever text', () => {
    const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostile), fc.stringMatching(/^[0-9 .@+-]{0,20}$/))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        for (const matches of [findPersonalData(text, options), findSecrets(text)]) {
          let end = 0
          for (const match of matches) {
            assert.ok(match.start >= end && match.end > match.start && match.end <= text.length)
            end = match.end
          }
        }
      }),
    )
  })

  for (const unit of hostile)
    it(`is found in time in a megabyte of "${unit}"`, () => {
      const text = unit.repeat(Math.ceil(1_000_000 / unit.length))
      findPersonalData(text, options)
      findSecrets(text)
    })

  it('law: is masked so that at most two fifths of it are shown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        const shown = Array.from(masked(value)).length - 1
        assert.ok(shown <= (2 * Array.from(value).length) / 5 && shown <= 8)
      }),
    )
  })

  it('law: a Luhn number with one digit changed is none', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{15}$/), fc.nat(14), fc.integer({ min: 1, max: 9 }), (digits, place, by) => {
        const check = Array.from('0123456789').find((digit) => luhn(digits + digit))!
        const changed = digits.slice(0, place) + ((Number(digits[place]) + by) % 10) + digits.slice(place + 1)
        assert.ok(!luhn(changed + check))
      }),
    )
  })
})
