/**
 * Text to token ids, as the model's own tokenizer.json says, cut at a number of tokens. The cut is ours: tokenizer.json's own is not
 * applied by @huggingface/tokenizers.
 */
import { readFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import type { TextModel } from '../../core/models.ts'

/** Texts to ids, many at a time. */
export interface BatchTokenizer {
  /** For each text the ids behind the model's prefix, with its special tokens around them, at most as many as the model reads. */
  encodeAll(texts: readonly string[], signal: AbortSignal): Promise<ArrayLike<number>[]>
}

export interface Tokenizer extends BatchTokenizer {
  /** Most tokens of a text, special ones included. */
  readonly maxTokens: number
  encode(text: string): number[]
}

/** What is used of a tokenizer of @huggingface/tokenizers, whose own types do not resolve under "nodenext". */
interface InnerTokenizer {
  encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] }
}

/** The first ids of a text without special tokens, `limit` of them where it has as many. */
type Contents = (text: string, limit: number) => number[]

/** Only this many UTF-16 units of a text are looked at, which matters where white space is rare. */
const MAX_UNITS = 16_384

/** Texts that are tokenised before others on this thread have their turn: a few milliseconds. */
const TEXTS_A_TURN = 32

/** What a tokenizer needs of its model. */
export type TokenizerModel = Pick<TextModel, 'tokenizer' | 'maxTokens' | 'prefix'>

/** Opens the tokenizer of a model, whose files lie at `pathOf`. */
export async function openTokenizer({ model, pathOf }: { model: TokenizerModel; pathOf: (path: string) => string }): Promise<Tokenizer> {
  const { vocabulary, configuration } = model.tokenizer
  const read = async (path: string): Promise<object> => JSON.parse(await readFile(pathOf(path), 'utf8'))
  const json = await read(vocabulary)
  const inner: InnerTokenizer = new HuggingFaceTokenizer(json, await read(configuration))
  return createTokenizer(inner, WordByWord.safeParse(json).success ? wordByWord(inner) : asAWhole(inner), model)
}

function createTokenizer(inner: InnerTokenizer, contents: Contents, { maxTokens, prefix: instruction }: TokenizerModel): Tokenizer {
  const { prefix, suffix } = specialTokens(inner)
  const contentTokens = maxTokens - prefix.length - suffix.length
  if (contentTokens < 1) throw new RangeError(`no room for text in ${maxTokens} tokens`)
  const encode = (bare: string): number[] => {
    const whole = instruction + bare
    const text = whole.length <= MAX_UNITS ? whole : wholeCharacters(whole, MAX_UNITS)
    return [...prefix, ...contents(text, contentTokens), ...suffix]
  }
  return {
    maxTokens,
    encode,
    async encodeAll(texts, signal) {
      const ids: number[][] = []
      for (const text of texts) {
        if (ids.length % TEXTS_A_TURN === 0) await nextTurn()
        signal.throwIfAborted()
        ids.push(encode(text))
      }
      return ids
    },
  }
}

/**
 * BERT's own kind: characters are cleaned one by one, then words are split at white space and punctuation, then each is looked up. So
 * what stands between two spaces has the same tokens wherever it stands.
 */
const WordByWord = z.object({
  normalizer: z.object({ type: z.literal('BertNormalizer') }),
  pre_tokenizer: z.object({ type: z.literal('BertPreTokenizer') }),
  model: z.object({ type: z.literal('WordPiece') }),
  added_tokens: z.array(z.object({ content: z.string().regex(/^\S+$/), lstrip: z.literal(false), rstrip: z.literal(false) })),
})

/** Words that are remembered: a few megabytes. */
const MAX_WORDS = 65_536
const MAX_WORD_UNITS = 24

/** Remembers the tokens of what stands between two spaces: most of a text are words that were seen before. */
function wordByWord(inner: InnerTokenizer): Contents {
  const known = new Map<string, readonly number[]>()
  const idsOf = (word: string): readonly number[] => {
    const remembered = known.get(word)
    if (remembered !== undefined) return remembered
    const { ids } = inner.encode(word, { add_special_tokens: false })
    if (word.length > MAX_WORD_UNITS) return ids
    if (known.size === MAX_WORDS) known.clear()
    known.set(word, ids)
    return ids
  }
  return (text, limit) => {
    const ids: number[] = []
    for (let start = 0, end = 0; start < text.length && ids.length < limit; start = end + 1) {
      for (end = start; end < text.length && !isSpace(text.charCodeAt(end));) end++
      if (end > start) for (const id of idsOf(text.slice(start, end))) ids.push(id)
    }
    if (ids.length > limit) ids.length = limit
    return ids
  }
}

/** Enough for a text's tokens in nearly every case, so that a long text costs no more than a short one. */
const UNITS_PER_TOKEN = 8

function asAWhole(inner: InnerTokenizer): Contents {
  return (text, limit) => {
    for (let units = limit * UNITS_PER_TOKEN; ; units *= 2) {
      const start = units < text.length ? wholeWords(text, units) : text
      const { ids } = inner.encode(start, { add_special_tokens: false })
      if (ids.length >= limit || start.length === text.length) return ids.slice(0, limit)
    }
  }
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

/** White space to every tokenizer; other controls are dropped by some, which joins what they stand between. */
function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0d
}
