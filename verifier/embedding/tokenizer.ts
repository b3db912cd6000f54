/**
 * Text to token ids, as the model's own tokenizer.json says, cut at a number of tokens. The cut is ours: tokenizer.json's own is not
 * applied by @huggingface/tokenizers.
 */
import { readFile } from 'node:fs/promises'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import type { TextModel } from '../../core/models.ts'
import type { LocalModel } from './modelCache.ts'

export interface Tokenizer {
  /** Most tokens of a text, special ones included. */
  readonly maxTokens: number
  /** The ids of a text behind the model's prefix, with its special tokens around them, at most `maxTokens`. */
  encode(text: string): number[]
}

/** What is used of a tokenizer of @huggingface/tokenizers, whose own types do not resolve under "nodenext". */
interface InnerTokenizer {
  encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] }
}

/** Only this many UTF-16 units of a text are looked at, which matters where white space is rare. */
const MAX_UNITS = 16_384

/** Enough for `maxTokens` words in nearly every text, so that a long text costs no more than a short one. */
const UNITS_PER_TOKEN = 8

/** Opens the tokenizer of a model. */
export async function openTokenizer({ model, pathOf }: LocalModel<TextModel>): Promise<Tokenizer> {
  const { vocabulary, configuration } = model.tokenizer
  const read = async (path: string): Promise<object> => JSON.parse(await readFile(pathOf(path), 'utf8'))
  return createTokenizer(new HuggingFaceTokenizer(await read(vocabulary), await read(configuration)), model)
}

function createTokenizer(inner: InnerTokenizer, { maxTokens, prefix: instruction }: TextModel): Tokenizer {
  const { prefix, suffix } = specialTokens(inner)
  const contentTokens = maxTokens - prefix.length - suffix.length
  if (contentTokens < 1) throw new RangeError(`no room for text in ${maxTokens} tokens`)

  const encode = (bare: string): number[] => {
    const whole = instruction + bare
    const text = whole.length <= MAX_UNITS ? whole : wholeCharacters(whole, MAX_UNITS)
    for (let units = maxTokens * UNITS_PER_TOKEN; ; units *= 2) {
      const start = units < text.length ? wholeWords(text, units) : text
      const { ids } = inner.encode(start, { add_special_tokens: false })
      if (ids.length >= contentTokens || start.length === text.length) return [...prefix, ...ids.slice(0, contentTokens), ...suffix]
    }
  }
  return { maxTokens, encode }
}

/** What the tokenizer puts before and after a text. */
function specialTokens(inner: InnerTokenizer): { prefix: number[]; suffix: number[] } {
  const bare = inner.encode('a', { add_special_tokens: false }).ids
  const whole = inner.encode('a').ids
  const start = whole.findIndex((_, i) => bare.every((id, j) => whole[i + j] === id))
  return { prefix: whole.slice(0, start), suffix: whole.slice(start + bare.length) }
}

/** The words that end within the first `units` UTF-16 units: they give the same tokens whether or not the rest follows. */
function wholeWords(text: string, units: number): string {
  for (let end = units; end > 0; end--) if (isSpace(text.charCodeAt(end)) && !isSpace(text.charCodeAt(end - 1))) return text.slice(0, end)
  return ''
}

/** The first `units` UTF-16 units, less half of a surrogate pair. */
function wholeCharacters(text: string, units: number): string {
  const last = text.charCodeAt(units - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? units - 1 : units)
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
}
