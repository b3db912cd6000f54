/** A tokenizer on several threads, for devices that embed faster than one thread tokenises. */
import type { TextModel } from '../../core/models.ts'
import type { LocalModel } from './modelCache.ts'
import type { BatchTokenizer } from './tokenizer.ts'
import type { TokenizedTexts, TokenizerSetup } from './tokenizerWorker.ts'
import { openWorkers } from './workers.ts'

export interface TokenizerPool extends BatchTokenizer, AsyncDisposable {}

/** Texts of a request: some milliseconds of work, so that the threads end at about the same time. */
const TEXTS_A_REQUEST = 64

/** Opens the tokenizer of a model in `threads` threads. */
export async function openTokenizerPool({ model, pathOf }: LocalModel<TextModel>, threads: number): Promise<TokenizerPool> {
  const { tokenizer, maxTokens, prefix } = model
  const setup: TokenizerSetup = {
    model: { tokenizer, maxTokens, prefix },
    paths: Object.fromEntries(Object.values(tokenizer).map((path) => [path, pathOf(path)])),
  }
  const script = new URL('./tokenizerWorker.ts', import.meta.url)
  const workers = await openWorkers<readonly string[], TokenizedTexts>(script, setup, threads)
  return {
    async encodeAll(texts, signal) {
      const starts = Array.from({ length: Math.ceil(texts.length / TEXTS_A_REQUEST) }, (_, i) => i * TEXTS_A_REQUEST)
      const parts = await Promise.all(starts.map(async (start) => workers.run(texts.slice(start, start + TEXTS_A_REQUEST))))
      signal.throwIfAborted()
      return parts.flatMap(({ ids, ends }) => Array.from(ends, (end, i) => ids.subarray(i === 0 ? 0 : ends[i - 1], end)))
    },
    [Symbol.asyncDispose]: async () => workers[Symbol.asyncDispose](),
  }
}
